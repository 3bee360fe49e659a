// gRPC's interop cases, with @grpc/grpc-js as the client of a server of theirs.
//
//   node interop.js HOST:PORT REPOSITORY
//
// Prints a line a case, as checks.js says.
'use strict';
const assert = require('node:assert/strict');
const path = require('node:path');
const zlib = require('node:zlib');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');
const { run } = require('./checks.js');

const [address, repository] = process.argv.slice(2);
const protos = path.join(repository, 'tests/Interop/protos');
const { testing } = grpc.loadPackageDefinition(loader.loadSync('interop.proto', { includeDirs: [protos] })).grpc;
const open = (Service, options) => new Service(address, grpc.credentials.createInsecure(), options);
const client = open(testing.TestService);
const compressing = open(testing.TestService, {
  'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip,
});

const largeRequest = 271_828;
const largeResponse = 314_159;
const requestSizes = [27_182, 8, 1_828, 45_904];
const responseSizes = [31_415, 9, 2_653, 58_979];
const noCompress = 2; // gRPC's write flag.

// That a message came compressed is seen from nothing but its inflating, which ends each time.
let inflated = 0;
const { end } = zlib.Gunzip.prototype;
zlib.Gunzip.prototype.end = function count(...last) {
  inflated += 1;
  return end.apply(this, last);
};

const zeros = (length) => ({ body: Buffer.alloc(length) });
const large = () => ({ responseSize: largeResponse, payload: zeros(largeRequest) });
const ping = (sent, wanted) => ({ payload: zeros(sent), responseParameters: [{ size: wanted }] });

// Starts a unary or client-streaming call: the call, with its answer, headers and status to be waited for.
function start(stub, rpc, ...request) {
  const started = {};
  started.answer = new Promise((resolve, reject) => {
    started.call = stub[rpc](...request, (error, answer) => (error ? reject(error) : resolve(answer)));
  });
  started.answer.catch(() => {}); // It is waited for later, or not at all.
  return Object.assign(started, about(started.call));
}

// Starts a call whose responses are a stream, to be read one at a time.
function stream(stub, rpc, ...request) {
  const call = stub[rpc](...request);
  const told = about(call);
  call.on('error', () => {}); // The iterator throws it.
  const messages = call[Symbol.asyncIterator]();
  const next = async () => {
    const { done, value } = await messages.next();
    return done ? null : value.payload.body.length;
  };
  return { call, next, ...told };
}

const about = (call) => ({
  headers: new Promise((resolve) => call.once('metadata', resolve)),
  status: new Promise((resolve) => call.once('status', resolve)),
});

async function fails(code, promise, message) {
  const error = await promise.then(() => assert.fail('the call succeeded'), (reason) => reason);
  assert.equal(grpc.status[error.code], grpc.status[code], error.message);
  if (message !== undefined) assert.equal(error.details, message);
}

async function statusIsEchoed(message) {
  const responseStatus = { code: grpc.status.UNKNOWN, message };
  await fails(grpc.status.UNKNOWN, start(client, 'UnaryCall', { responseStatus }).answer, message);
  const { call, next } = stream(client, 'FullDuplexCall');
  call.write({ responseStatus });
  call.end();
  await fails(grpc.status.UNKNOWN, next(), message);
}

// Whether the message that this reads came compressed.
async function cameCompressed(read) {
  const before = inflated;
  await read();
  assert.ok(inflated - before <= 1);
  return inflated > before;
}

const cases = {
  async empty_unary() {
    assert.deepEqual(await start(client, 'EmptyCall', {}).answer, {});
  },
  async large_unary() {
    const { payload } = await start(client, 'UnaryCall', large()).answer;
    assert.ok(payload.body.equals(Buffer.alloc(largeResponse)));
  },
  async client_streaming() {
    const { call, answer } = start(client, 'StreamingInputCall');
    for (const size of requestSizes) call.write({ payload: zeros(size) });
    call.end();
    assert.equal((await answer).aggregatedPayloadSize, 74_922);
  },
  async server_streaming() {
    const responseParameters = responseSizes.map((size) => ({ size, intervalUs: 1_000 }));
    const { next } = stream(client, 'StreamingOutputCall', { responseParameters });
    for (const size of responseSizes) assert.equal(await next(), size);
    assert.equal(await next(), null);
  },
  async ping_pong() {
    const { call, next } = stream(client, 'FullDuplexCall');
    for (const [index, size] of responseSizes.entries()) {
      call.write(ping(requestSizes[index], size));
      assert.equal(await next(), size);
    }
    call.end();
    assert.equal(await next(), null);
  },
  async empty_stream() {
    const { call, next, status } = stream(client, 'FullDuplexCall');
    call.end();
    assert.equal(await next(), null);
    assert.equal((await status).code, grpc.status.OK);
  },
  async client_compressed_unary() {
    const request = (value) => ({ ...large(), expectCompressed: { value } });
    await fails(grpc.status.INVALID_ARGUMENT, start(client, 'UnaryCall', request(true)).answer);
    await fails(grpc.status.INVALID_ARGUMENT, start(compressing, 'UnaryCall', request(false)).answer);
    const compressed = await start(compressing, 'UnaryCall', request(true)).answer;
    assert.equal(compressed.payload.body.length, largeResponse);
    const plain = await start(client, 'UnaryCall', request(false)).answer;
    assert.equal(plain.payload.body.length, largeResponse);
  },
  async client_compressed_streaming() {
    const first = { payload: zeros(27_182), expectCompressed: { value: true } };
    const second = { payload: zeros(45_904), expectCompressed: { value: false } };
    const probe = start(client, 'StreamingInputCall');
    probe.call.end(first);
    await fails(grpc.status.INVALID_ARGUMENT, probe.answer);
    const { call, answer } = start(compressing, 'StreamingInputCall');
    await new Promise((resolve) => call.write(first, resolve));
    // A flag for one message cannot be said to a stream of Node's.
    await new Promise((callback) => call.call.sendMessageWithContext({ flags: noCompress, callback }, second));
    call.end();
    assert.equal((await answer).aggregatedPayloadSize, 73_086);
  },
  async server_compressed_unary() {
    for (const value of [true, false]) {
      const request = { ...large(), responseCompressed: { value } };
      const came = await cameCompressed(async () => {
        const { payload } = await start(client, 'UnaryCall', request).answer;
        assert.equal(payload.body.length, largeResponse);
      });
      assert.equal(came, value);
    }
  },
  async server_compressed_streaming() {
    const responseParameters = [
      { size: 31_415, compressed: { value: true } },
      { size: 92_653, compressed: { value: false } },
    ];
    const { next } = stream(client, 'StreamingOutputCall', { responseParameters });
    const came = await cameCompressed(async () => {
      for (const { size } of responseParameters) assert.equal(await next(), size);
      assert.equal(await next(), null);
    });
    assert.ok(came);
  },
  async custom_metadata() {
    const metadata = new grpc.Metadata();
    metadata.set('x-grpc-test-echo-initial', 'test_initial_metadata_value');
    metadata.set('x-grpc-test-echo-trailing-bin', Buffer.from('ababab', 'hex'));
    const check = async ({ headers, status }) => {
      assert.deepEqual((await headers).get('x-grpc-test-echo-initial'), ['test_initial_metadata_value']);
      const [trailer] = (await status).metadata.get('x-grpc-test-echo-trailing-bin');
      assert.equal(trailer.toString('hex'), 'ababab');
    };
    const unary = start(client, 'UnaryCall', large(), metadata);
    await unary.answer;
    await check(unary);
    const duplex = stream(client, 'FullDuplexCall', metadata);
    duplex.call.end(ping(largeRequest, largeResponse));
    assert.equal(await duplex.next(), largeResponse);
    assert.equal(await duplex.next(), null);
    await check(duplex);
  },
  status_code_and_message: () => statusIsEchoed('test status message'),
  special_status_message: () =>
    statusIsEchoed('\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n'),
  async unimplemented_method() {
    await fails(grpc.status.UNIMPLEMENTED, start(client, 'UnimplementedCall', {}).answer);
  },
  async unimplemented_service() {
    const other = open(testing.UnimplementedService);
    await fails(grpc.status.UNIMPLEMENTED, start(other, 'UnimplementedCall', {}).answer);
  },
  async cancel_after_begin() {
    const { call, answer } = start(client, 'StreamingInputCall');
    call.cancel();
    await fails(grpc.status.CANCELLED, answer);
  },
  async cancel_after_first_response() {
    const { call, next } = stream(client, 'FullDuplexCall');
    call.write(ping(27_182, 31_415));
    assert.equal(await next(), 31_415);
    call.cancel();
    await fails(grpc.status.CANCELLED, next());
  },
  async timeout_on_sleeping_server() {
    const { call, next } = stream(client, 'FullDuplexCall', { deadline: Date.now() + 1 });
    call.write({ payload: zeros(27_182) });
    await fails(grpc.status.DEADLINE_EXCEEDED, next());
  },
};

run(cases).then(() => process.exit(0));
