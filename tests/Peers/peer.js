// Calls a server through @grpc/grpc-js and proto-loader with default options, as an outsider would.
//
//   node peer.js HOST:PORT REPOSITORY
//
// Prints a line a check, as checks.js says.
'use strict';
const assert = require('node:assert/strict');
const { randomUUID } = require('node:crypto');
const path = require('node:path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');
const { run, soon } = require('./checks.js');

const [address, repository] = process.argv.slice(2);
const names = ['account', 'auth', 'greeter', 'notification', 'task', 'task_list', 'work'];
const definition = loader.loadSync(
  [...names.map((name) => `squall/v1/${name}.proto`), 'google/rpc/status.proto', 'google/rpc/error_details.proto'],
  { includeDirs: [path.join(repository, 'protos'), path.join(repository, 'src/Rpc/protos')] },
);
const squall = grpc.loadPackageDefinition(definition).squall.v1;
const open = (service) => new squall[service](address, grpc.credentials.createInsecure());
const greeter = open('GreeterService');
const accounts = open('AccountService');
const auth = open('AuthService');
const lists = open('TaskListService');
const tasks = open('TaskService');
const notifications = open('NotificationService');
const work = open('WorkService');

const username = `node-${randomUUID().slice(0, 8)}`;
const password = process.env.PEER_PASSWORD;
let bearer = new grpc.Metadata();
const now = {}; // What a check leaves for those after it.

const call = (client, rpc, request, metadata = bearer) =>
  new Promise((resolve, reject) => {
    client[rpc](request, metadata, (error, answer) => (error ? reject(error) : resolve(answer)));
  });

// Makes a call that must fail, and gives its status message and details, each by its type's name.
async function refused(code, client, rpc, request, metadata = bearer) {
  const error = await call(client, rpc, request, metadata).then(
    () => assert.fail(`expected ${grpc.status[code]}, got an answer`),
    (reason) => reason,
  );
  assert.equal(grpc.status[error.code], grpc.status[code], error.details);
  const status = definition['google.rpc.Status'].deserialize(error.metadata.get('grpc-status-details-bin')[0]);
  assert.equal(status.code, code);
  assert.equal(status.message, error.details);
  assert.ok(status.message, 'no message');
  const details = {};
  for (const packed of status.details) {
    const name = (packed.typeUrl ?? packed.type_url).split('/').pop();
    details[name] = definition[name].deserialize(packed.value);
  }
  assert.equal(details['google.rpc.ErrorInfo'].domain, 'squall');
  return { message: status.message, details };
}

// A subscription whose messages can be waited for, one after the other.
class Stream {
  constructor(request) {
    this.arrived = [];
    this.wake = () => {};
    this.call = notifications.Subscribe(request, bearer);
    const add = (item) => {
      this.arrived.push(item);
      this.wake();
    };
    this.call.on('data', (message) => add({ message }));
    this.call.on('error', (error) => add({ error }));
    this.call.on('end', () => add({ error: new Error('the stream ended') }));
  }

  async next() {
    for (;;) {
      if (this.arrived.length === 0) {
        await soon(new Promise((resolve) => (this.wake = resolve)));
      }
      const { message, error } = this.arrived.shift();
      if (error) throw error;
      if (!message.heartbeat) return message;
    }
  }

  // The next notification that tells of this task, after those of lists and members.
  async nextOfTask(taskId) {
    for (;;) {
      const { notification, ...other } = await this.next();
      assert.ok(notification, `expected a notification, got ${Object.keys(other)}`);
      const kind = Object.keys(notification).find((key) => notification[key]?.task?.id === taskId);
      if (kind) return { kind, task: notification[kind].task, cursor: notification.cursor };
    }
  }

  close() {
    this.call.cancel();
  }
}

const checks = {
  async hello() {
    const answer = await call(greeter, 'SayHello', { name: 'Node' });
    assert.equal(answer.message, 'Hello, Node');
    assert.ok(answer.serverVersion);
    assert.ok(answer.serverTime.seconds.toNumber() > 1_700_000_000);
    assert.equal((await call(greeter, 'SayHello', {})).message, 'Hello, world');
  },
  async register() {
    const request = { username: username.toUpperCase(), password, displayName: 'Zoë 😀' };
    const { account } = await call(accounts, 'RegisterAccount', request);
    assert.equal(account.username, username);
    assert.equal(account.displayName, 'Zoë 😀');
    now.accountId = account.id;
  },
  async login() {
    const { tokens, account } = await call(auth, 'Login', { username, password });
    assert.equal(account.id, now.accountId);
    assert.equal(tokens.accessToken.slice(0, 4), 'sqa_');
    bearer = new grpc.Metadata();
    bearer.set('authorization', `Bearer ${tokens.accessToken}`);
    assert.equal((await call(accounts, 'GetAccount', {})).account.username, username);
  },
  async subscribe_from_now() {
    now.stream = new Stream({});
    assert.ok((await now.stream.next()).synced);
  },
  async create_list() {
    const request = { taskList: { title: 'Einkäufe 🛒' }, requestId: randomUUID() };
    const { taskList } = await call(lists, 'CreateTaskList', request);
    assert.equal(taskList.title, 'Einkäufe 🛒');
    assert.equal(taskList.role, 4);
    now.listId = taskList.id;
    const { taskLists } = await call(lists, 'ListTaskLists', {});
    assert.deepEqual(taskLists.map((one) => one.id), [now.listId]);
  },
  async create_task() {
    const dueTime = { seconds: 1927857906, nanos: 789012000 };
    const labels = ['shop', 'été'];
    const task = { taskListId: now.listId, title: 'Buy café crème', note: 'two\nlines', labels, dueTime };
    const request = { task, requestId: randomUUID() };
    now.task = (await call(tasks, 'CreateTask', request)).task;
    assert.deepEqual((await call(tasks, 'CreateTask', request)).task, now.task);
    assert.equal(now.task.title, 'Buy café crème');
    assert.deepEqual(now.task.labels, labels);
    assert.equal(now.task.dueTime.seconds.toNumber(), dueTime.seconds);
    assert.equal(now.task.dueTime.nanos, dueTime.nanos);
    assert.equal(now.task.state, 1);
    assert.equal(now.task.version.toNumber(), 1);
    assert.equal(now.task.creatorId, now.accountId);
  },
  async list_tasks() {
    const filter = `task_list_id = "${now.listId}" AND state = OPEN AND labels:"shop"`;
    const answer = await call(tasks, 'ListTasks', { filter });
    assert.deepEqual(answer.tasks, [now.task]);
    assert.equal(answer.nextPageToken ?? '', '');
  },
  async update() {
    const request = {
      task: { id: now.task.id, title: 'Buy tea', note: 'not in the mask' },
      updateMask: { paths: ['title'] },
      expectedVersion: 1,
    };
    const { task } = await call(tasks, 'UpdateTask', request);
    const { title, version, updateTime } = task;
    assert.deepEqual(task, { ...now.task, title, version, updateTime });
    assert.equal(title, 'Buy tea');
    assert.equal(version.toNumber(), 2);
    assert.deepEqual((await call(tasks, 'GetTask', { taskId: now.task.id })).task, task);
  },
  async complete() {
    const { task } = await call(tasks, 'CompleteTask', { taskId: now.task.id });
    assert.equal(task.state, 3);
    assert.equal(task.version.toNumber(), 3);
    assert.ok(task.completeTime);
  },
  async subscribe_saw_each_change() {
    const created = await now.stream.nextOfTask(now.task.id);
    const updated = await now.stream.nextOfTask(now.task.id);
    const completed = await now.stream.nextOfTask(now.task.id);
    assert.equal(created.kind, 'taskCreated');
    assert.deepEqual(created.task, now.task);
    assert.equal(updated.kind, 'taskUpdated');
    assert.deepEqual([updated.task.title, updated.task.version.toNumber()], ['Buy tea', 2]);
    assert.deepEqual([completed.kind, completed.task.version.toNumber()], ['taskCompleted', 3]);
    now.cursor = created.cursor;
    now.stream.close();
  },
  async subscribe_resumes() {
    const stream = new Stream({ after: now.cursor });
    assert.equal((await stream.nextOfTask(now.task.id)).kind, 'taskUpdated');
    assert.equal((await stream.nextOfTask(now.task.id)).kind, 'taskCompleted');
    stream.close();
  },
  async subscribe_to_a_snapshot() {
    const stream = new Stream({ snapshot: true, filter: `task_list_id = "${now.listId}"` });
    const { task } = await stream.next();
    assert.deepEqual([task.id, task.version.toNumber()], [now.task.id, 3]);
    assert.ok((await stream.next()).synced);
    stream.close();
  },
  async list_the_largest() {
    const title = '😀é漢字'.repeat(125);
    const note = `${'漢'.repeat(21_845)}.`;
    assert.equal([...title].length, 500);
    assert.equal(Buffer.byteLength(note), 65_536);
    const labels = Array.from({ length: 50 }, (_, number) => String(number).padStart(2, '0') + 'é'.repeat(98));
    const taskListId = (await call(lists, 'CreateTaskList', { taskList: { title: 'Large' } })).taskList.id;
    const made = [];
    for (let count = 0; count < 50; count += 1) {
      made.push((await call(tasks, 'CreateTask', { task: { taskListId, title, note, labels } })).task.id);
    }
    const seen = [];
    let pages = 0;
    let pageToken = '';
    do {
      const request = { filter: `task_list_id = "${taskListId}"`, pageSize: 1_000, pageToken };
      const page = await call(tasks, 'ListTasks', request);
      seen.push(...page.tasks);
      pages += 1;
      pageToken = page.nextPageToken;
    } while (pageToken);
    assert.deepEqual(seen.map((task) => task.id), made);
    assert.ok(seen.every((task) => task.title === title && task.note === note));
    assert.ok(seen.every((task) => task.labels.join() === labels.join()));
    assert.ok(pages > 1, 'more than 3 MiB came in one page');
  },
  async error_invalid_argument() {
    const request = { task: { taskListId: now.listId, title: '' } };
    const { message, details } = await refused(grpc.status.INVALID_ARGUMENT, tasks, 'CreateTask', request);
    assert.match(message, /title/);
    const fields = details['google.rpc.BadRequest'].fieldViolations.map((fault) => fault.field);
    assert.deepEqual(fields, ['task.title']);
  },
  async error_not_found() {
    const { message, details } = await refused(grpc.status.NOT_FOUND, tasks, 'GetTask', { taskId: randomUUID() });
    assert.match(message, /task/);
    assert.equal(details['google.rpc.ErrorInfo'].reason, 'NOT_FOUND');
  },
  async error_aborted() {
    const request = { taskId: now.task.id, expectedVersion: 1 };
    const { details } = await refused(grpc.status.ABORTED, tasks, 'ReopenTask', request);
    assert.equal(details['google.rpc.ErrorInfo'].reason, 'VERSION_MISMATCH');
    assert.equal(details['google.rpc.ErrorInfo'].metadata.version, '3');
  },
  async error_unauthenticated() {
    const garbled = new grpc.Metadata();
    garbled.set('authorization', 'Bearer sqa_garbled');
    for (const metadata of [new grpc.Metadata(), garbled]) {
      const { message } = await refused(grpc.status.UNAUTHENTICATED, accounts, 'GetAccount', {}, metadata);
      assert.match(message, /Login/);
    }
  },
  async error_unimplemented() {
    await refused(grpc.status.UNIMPLEMENTED, work, 'LeaseWork', {});
  },
  async logout() {
    await call(auth, 'Logout', {});
    await refused(grpc.status.UNAUTHENTICATED, accounts, 'GetAccount', {});
  },
};

run(checks).then(() => process.exit(0));
