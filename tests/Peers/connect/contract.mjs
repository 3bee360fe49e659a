// Squall's contract, as an application would go through it: the checks of one transport, in their order.
//
//   open      gives a client of a service of squall.v1, by its name
//   detail    gives the type of a message of google.rpc, by its name
//   password  is what an account is made with
import { Code } from '@connectrpc/connect';
import { equal, fails, next } from './expect.mjs';

export function contract(open, detail, password) {
  const greeter = open('GreeterService');
  const accounts = open('AccountService');
  const lists = open('TaskListService');
  const tasks = open('TaskService');
  const username = `connect-${crypto.randomUUID().slice(0, 8)}`;
  const now = { headers: {} }; // What a check leaves for those after it.

  return {
    async hello() {
      const answer = await greeter.sayHello({ name: 'Zoë 😀' });
      equal(answer.message, 'Hello, Zoë 😀');
      equal(answer.serverTime.seconds > 1_700_000_000n, true);
    },
    async login() {
      const { account } = await accounts.registerAccount({ username, password, displayName: 'Zoë 😀' });
      const { tokens } = await open('AuthService').login({ username, password });
      now.headers = { headers: { authorization: `Bearer ${tokens.accessToken}` } };
      const known = await accounts.getAccount({}, now.headers);
      equal([known.account.id, known.account.username], [account.id, username]);
    },
    async subscribe_and_create() {
      const stop = new AbortController();
      const stream = open('NotificationService').subscribe({}, { ...now.headers, signal: stop.signal });
      const messages = stream[Symbol.asyncIterator]();
      equal((await next(messages)).message.case, 'synced');
      const { taskList } = await lists.createTaskList({ taskList: { title: 'Einkäufe 🛒' } }, now.headers);
      const dueTime = { seconds: 1_927_857_906n, nanos: 789_012_000 };
      const task = { taskListId: taskList.id, title: 'Buy café crème', labels: ['shop', 'été'], dueTime };
      const created = (await tasks.createTask({ task }, now.headers)).task;
      equal([created.title, created.labels, created.dueTime.nanos], [task.title, task.labels, dueTime.nanos]);
      equal([created.version, created.dueTime.seconds].map(String), ['1', '1927857906']);
      let event;
      do {
        event = (await next(messages)).message.value.event;
      } while (event?.case !== 'taskCreated');
      equal([event.value.task.id, event.value.task.title], [created.id, task.title]);
      stop.abort();
      await fails(Code.Canceled, messages.next());
      now.taskListId = taskList.id;
    },
    async error_with_details() {
      const call = tasks.createTask({ task: { taskListId: now.taskListId, title: '' } }, now.headers);
      const error = await fails(Code.InvalidArgument, call);
      equal(error.rawMessage.includes('title'), true);
      const [request] = error.findDetails(detail('BadRequest'));
      equal(request.fieldViolations.map((fault) => fault.field), ['task.title']);
      const [info] = error.findDetails(detail('ErrorInfo'));
      equal(info.domain, 'squall');
    },
    async stream_error_with_details() {
      const stream = open('NotificationService').subscribe({ after: 'garbled' }, now.headers);
      const error = await fails(Code.InvalidArgument, next(stream[Symbol.asyncIterator]()));
      equal(error.findDetails(detail('ErrorInfo')).map((info) => info.domain), ['squall']);
    },
    async unauthenticated() {
      const headers = { authorization: 'Bearer sqa_garbled' };
      const error = await fails(Code.Unauthenticated, accounts.getAccount({}, { headers }));
      equal(error.rawMessage.includes('Login'), true);
    },
  };
}
