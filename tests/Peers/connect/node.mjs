// @connectrpc/connect-node by each of its transports, in proto and JSON, over HTTP/1.1 and HTTP/2: against the interop
// service, and against a server, in clear text and over TLS. Types come from buf's images.
//
//   node node.mjs INTEROP INTEROP_IMAGE SERVER SERVER_BY_TLS CERTIFICATE IMAGE
//
// Prints a line a check, as checks.js says; its name is the world's, a dot, and its own.
import { readFileSync } from 'node:fs';
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { createClient } from '@connectrpc/connect';
import {
  compressionGzip, createConnectTransport, createGrpcTransport, createGrpcWebTransport,
} from '@connectrpc/connect-node';
import { run } from '../checks.js';
import { contract } from './contract.mjs';
import { equal } from './expect.mjs';
import { interop } from './interop.mjs';

const [interopUrl, interopImage, serverUrl, secureUrl, certificate, image] = process.argv.slice(2);
const registryOf = (file) => createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(file)));
const interopTypes = registryOf(interopImage);
const types = registryOf(image);
const protocols = { connect: createConnectTransport, web: createGrpcWebTransport, grpc: createGrpcTransport };

let inflated = 0;
const countedGzip = {
  ...compressionGzip,
  decompress(...message) {
    inflated += 1;
    return compressionGzip.decompress(...message);
  },
};

// What a world tells of itself in its name.
function describe(world) {
  const [protocol, ...traits] = world.split('-');
  const httpVersion = traits.includes('1') ? '1.1' : '2';
  const options = { httpVersion, useBinaryFormat: !traits.includes('json'), acceptCompression: [countedGzip] };
  return { transport: (more) => protocols[protocol]({ ...options, ...more }), duplex: httpVersion === '2' };
}

function contractBy(transport) {
  const open = (service) => createClient(types.getService(`squall.v1.${service}`), transport);
  return contract(open, (name) => types.getMessage(`google.rpc.${name}`), process.env.PEER_PASSWORD);
}

// Nothing is to be stored; what a GET is answered says besides what it depends on.
async function calledByGet() {
  for (const useHttpGet of [true, false]) {
    for (const useBinaryFormat of [true, false]) {
      for (const httpVersion of ['1.1', '2']) {
        const options = { httpVersion, useBinaryFormat, useHttpGet };
        const transport = createConnectTransport({ baseUrl: serverUrl, ...options });
        const greeter = createClient(types.getService('squall.v1.GreeterService'), transport);
        let told;
        const onHeader = (headers) => (told = [headers.get('cache-control'), headers.get('vary')]);
        equal((await greeter.sayHello({ name: 'Zoë' }, { onHeader })).message, 'Hello, Zoë');
        equal(told, ['no-store', useHttpGet ? 'Accept-Encoding' : null]);
      }
    }
  }
}

const worlds = [
  'connect-1', 'connect-2', 'connect-json-1', 'connect-json-2', 'web-1', 'web-2', 'web-json-1', 'web-json-2', 'grpc-2',
  'grpc-json-2',
];
const checks = { 'connect.by_get': calledByGet };
const add = (world, more) => {
  for (const [name, check] of Object.entries(more)) checks[`${world}.${name}`] = check;
};
for (const world of worlds) {
  const { transport, duplex } = describe(world);
  const plain = transport({ baseUrl: interopUrl });
  const gzip = transport({ baseUrl: interopUrl, sendCompression: countedGzip });
  const idle = new URL('/idle', interopUrl);
  add(world, interop(interopTypes, { plain, gzip, inflated: () => inflated, duplex, idle }));
  add(world, contractBy(transport({ baseUrl: serverUrl })));
}
const ca = readFileSync(certificate);
for (const world of ['connect-1', 'connect-2', 'web-1', 'web-2', 'grpc-2']) {
  const secure = describe(world).transport({ baseUrl: secureUrl, nodeOptions: { ca } });
  add(`${world}-tls`, contractBy(secure));
}

await run(checks);
process.exit(0);
