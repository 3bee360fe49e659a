// The interop service by one of Connect's transports.
import { Code, createClient, decodeBinaryHeader, encodeBinaryHeader } from '@connectrpc/connect';
import { equal, fails, next } from './expect.mjs';

const sizes = [27_182, 8, 1_828, 45_904];
const responseSizes = [31_415, 9, 2_653, 58_979];
const foreverMicros = 2_147_483_647;
const special = '\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n';
const [initial, trailing] = ['x-grpc-test-echo-initial', 'x-grpc-test-echo-trailing-bin'];
const zeros = (length) => ({ body: new Uint8Array(length) });
const large = { responseSize: 314_159, payload: zeros(271_828) };
const length = (response) => response?.payload.body.length;

async function* each(messages) {
  yield* messages;
}

async function all(messages) {
  const lengths = [];
  for await (const message of messages) lengths.push(length(message));
  return lengths;
}

// Requests that are sent when it suits, until they are ended.
function requests() {
  const queue = [];
  let wake = () => {};
  const put = (item) => (queue.push(item), wake());
  const messages = (async function* messages() {
    for (;;) {
      if (queue.length === 0) await new Promise((resolve) => (wake = resolve));
      const item = queue.shift();
      if (item === undefined) return;
      yield item;
    }
  })();
  return { messages, send: put, end: () => put(undefined) };
}

//   plain, gzip   transports, the second of which compresses what it sends
//   inflated      how many messages were inflated so far
//   duplex        whether both directions can be open at once
//   idle          what the server answers once it serves nothing, be it for callers that have gone
export function interop(registry, { plain, gzip, inflated, duplex, idle }) {
  const service = registry.getService('grpc.testing.TestService');
  const client = createClient(service, plain);
  const compressing = createClient(service, gzip);
  const forever = { responseParameters: [{ size: 9 }, { size: 9, intervalUs: foreverMicros }] };
  const start = (request, options) => client.streamingOutputCall(request, options)[Symbol.asyncIterator]();

  const checks = {
    async empty() {
      equal(Object.keys(await client.emptyCall({})), ['$typeName']);
    },
    async unary() {
      equal(length(await client.unaryCall(large)), large.responseSize);
    },
    async client_stream() {
      const messages = sizes.map((size) => ({ payload: zeros(size) }));
      equal((await client.streamingInputCall(each(messages))).aggregatedPayloadSize, 74_922);
    },
    async server_stream() {
      const messages = start({ responseParameters: responseSizes.map((size) => ({ size, intervalUs: 1_000 })) });
      for (const size of responseSizes) equal(length(await next(messages)), size);
      equal(await next(messages), undefined);
    },
    async metadata() {
      const seen = {};
      const options = {
        headers: { [initial]: 'initial value', [trailing]: encodeBinaryHeader(Uint8Array.of(0xab, 0xab, 0xab)) },
        onHeader: (headers) => (seen.initial = headers.get(initial)),
        onTrailer: (trailers) => (seen.trailing = [...decodeBinaryHeader(trailers.get(trailing))]),
      };
      await client.unaryCall(large, options);
      equal(seen, { initial: 'initial value', trailing: [0xab, 0xab, 0xab] });
      delete seen.initial;
      delete seen.trailing;
      const messages = start({ responseParameters: [{ size: 9 }] }, options);
      equal([length(await next(messages)), await next(messages)], [9, undefined]);
      equal(seen, { initial: 'initial value', trailing: [0xab, 0xab, 0xab] });
    },
    async error() {
      const responseStatus = { code: Code.ResourceExhausted, message: special };
      equal((await fails(Code.ResourceExhausted, client.unaryCall({ responseStatus }))).rawMessage, special);
      equal((await fails(Code.ResourceExhausted, next(start({ responseStatus })))).rawMessage, special);
    },
    async unimplemented() {
      await fails(Code.Unimplemented, client.unimplementedCall({}));
      const other = createClient(registry.getService('grpc.testing.UnimplementedService'), plain);
      await fails(Code.Unimplemented, other.unimplementedCall({}));
    },
    async deadline() {
      // However much comes before.
      await fails(Code.DeadlineExceeded, all(client.streamingOutputCall(forever, { timeoutMs: 100 })));
      await fails(Code.DeadlineExceeded, client.streamingInputCall(requests().messages, { timeoutMs: 100 }));
    },
    async cancel() {
      const stop = new AbortController();
      const messages = start(forever, { signal: stop.signal });
      equal(length(await next(messages)), 9);
      stop.abort();
      await fails(Code.Canceled, messages.next());
    },
    async gzip_requests() {
      const request = (value) => ({ ...large, expectCompressed: { value } });
      await fails(Code.InvalidArgument, client.unaryCall(request(true)));
      await fails(Code.InvalidArgument, compressing.unaryCall(request(false)));
      equal(length(await client.unaryCall(request(false))), large.responseSize);
      equal(length(await compressing.unaryCall(request(true))), large.responseSize);
      const first = { payload: zeros(27_182), expectCompressed: { value: true } };
      const small = { payload: zeros(8), expectCompressed: { value: false } };
      await fails(Code.InvalidArgument, client.streamingInputCall(each([first])));
      equal((await compressing.streamingInputCall(each([first, small]))).aggregatedPayloadSize, 27_190);
    },
    async gzip_responses() {
      for (const value of [true, false]) {
        const before = inflated();
        equal(length(await client.unaryCall({ ...large, responseCompressed: { value } })), large.responseSize);
        equal(inflated() - before, value ? 1 : 0);
      }
      const before = inflated();
      const messages = start({
        responseParameters: [
          { size: 31_415, compressed: { value: true } },
          { size: 92_653, compressed: { value: false } },
        ],
      });
      equal([length(await next(messages)), length(await next(messages))], [31_415, 92_653]);
      equal(await next(messages), undefined);
      equal(inflated() - before, 1);
    },
    async bidi() {
      const { messages: sent, send, end } = requests();
      const messages = client.fullDuplexCall(sent)[Symbol.asyncIterator]();
      for (const [index, size] of responseSizes.entries()) {
        send({ payload: zeros(sizes[index]), responseParameters: [{ size }] });
        equal(length(await next(messages)), size);
      }
      end();
      equal(await next(messages), undefined);
    },
    async nothing_is_left() {
      equal((await fetch(idle)).status, 200);
    },
  };
  if (!duplex) {
    // Nothing is waited for that cannot come.
    checks.bidi = async () => {
      const messages = client.fullDuplexCall(requests().messages)[Symbol.asyncIterator]();
      const error = await messages.next().then(() => undefined, (reason) => reason);
      equal(Code[error?.code], 'Unknown');
      equal(error.rawMessage, 'HTTP 505');
    };
  }

  return checks;
}
