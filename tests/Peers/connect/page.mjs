// What a page of another origin does in a browser with connect-web, and with the types that protoc-gen-es makes.
//
//   /?open=HTTP&secure=HTTPS&closed=HTTP
//
// Two addresses of a server that lets this page's origin call, and one of a server that lets none. The page tells its
// own server a line a check, as checks.js says; a check's name is the world's, a dot, and its own.
import { Code, createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-web';
import * as errors from 'google/rpc/error_details_pb.js';
import { AccountService } from 'squall/v1/account_pb.js';
import { AuthService } from 'squall/v1/auth_pb.js';
import { GreeterService } from 'squall/v1/greeter_pb.js';
import { NotificationService } from 'squall/v1/notification_pb.js';
import { TaskListService } from 'squall/v1/task_list_pb.js';
import { TaskService } from 'squall/v1/task_pb.js';
import { run } from '../checks.js';
import { contract } from './contract.mjs';
import { equal, fails, next } from './expect.mjs';

const services = { AccountService, AuthService, GreeterService, NotificationService, TaskListService, TaskService };
const { open, secure, closed } = Object.fromEntries(new URLSearchParams(location.search));
const json = (options) => createConnectTransport({ ...options, useBinaryFormat: false });
const proto = (options) => createConnectTransport({ ...options, useBinaryFormat: true });
const worlds = {
  'connect-json': json({ baseUrl: open }),
  'connect-proto': proto({ baseUrl: open }),
  web: createGrpcWebTransport({ baseUrl: open }),
  'connect-json-tls': json({ baseUrl: secure }),
  'connect-proto-tls': proto({ baseUrl: secure }),
  'web-tls': createGrpcWebTransport({ baseUrl: secure }),
};

const checks = {};
const add = (world, more) => {
  for (const [name, check] of Object.entries(more)) checks[`${world}.${name}`] = check;
};
for (const [world, transport] of Object.entries(worlds)) {
  // Nothing else is told a page: it makes its password up.
  const password = crypto.randomUUID();
  add(world, contract(
    (service) => createClient(services[service], transport), (name) => errors[`${name}Schema`], password));
}
add('connect', {
  async by_get() {
    const greeter = createClient(GreeterService, json({ baseUrl: open, useHttpGet: true }));
    let stored;
    const onHeader = (headers) => (stored = headers.get('cache-control'));
    const answer = await greeter.sayHello({ name: 'Zoë 😀' }, { onHeader });
    equal([answer.message, stored], ['Hello, Zoë 😀', 'no-store']);
  },
});

// The browser sees that the server is there; but neither does it send what it must ask for first, nor show an answer.
async function refused(call) {
  equal((await fetch(closed, { mode: 'no-cors' })).type, 'opaque');
  const error = await fails(Code.Unknown, call);
  equal(error.cause instanceof TypeError, true);
}

for (const [world, transport] of Object.entries({
  'connect-closed': json({ baseUrl: closed }),
  'connect-get-closed': json({ baseUrl: closed, useHttpGet: true }),
  'web-closed': createGrpcWebTransport({ baseUrl: closed }),
})) {
  add(world, {
    refused_a_unary_call: () => refused(createClient(GreeterService, transport).sayHello({})),
    refused_a_stream: () =>
      refused(next(createClient(NotificationService, transport).subscribe({})[Symbol.asyncIterator]())),
  });
}

const lines = [];
await run(checks, (line) => lines.push(line));
await fetch('/lines', { method: 'POST', body: lines.join('\n') });
