"""Calls a server through grpcio, with stubs made from the contract and default options, as an outsider would.

    peer.py HOST:PORT STUBS

Prints one line a check: "ok <check>", or "failed <check>: <why>".
"""
import os
import queue
import sys
import threading
import traceback
import uuid

sys.path.insert(0, sys.argv[2])

import grpc  # noqa: E402
from google.protobuf import field_mask_pb2  # noqa: E402
from google.rpc import error_details_pb2, status_pb2  # noqa: E402
from squall.v1 import account_pb2, account_pb2_grpc, auth_pb2, auth_pb2_grpc  # noqa: E402
from squall.v1 import greeter_pb2, greeter_pb2_grpc, notification_pb2, notification_pb2_grpc  # noqa: E402
from squall.v1 import task_list_pb2, task_list_pb2_grpc, task_pb2, task_pb2_grpc  # noqa: E402
from squall.v1 import work_pb2, work_pb2_grpc  # noqa: E402

channel = grpc.insecure_channel(sys.argv[1])
greeter = greeter_pb2_grpc.GreeterServiceStub(channel)
accounts = account_pb2_grpc.AccountServiceStub(channel)
auth = auth_pb2_grpc.AuthServiceStub(channel)
lists = task_list_pb2_grpc.TaskListServiceStub(channel)
tasks = task_pb2_grpc.TaskServiceStub(channel)
notifications = notification_pb2_grpc.NotificationServiceStub(channel)
work = work_pb2_grpc.WorkServiceStub(channel)

USERNAME = "python-" + uuid.uuid4().hex[:12]
PASSWORD = os.environ["PEER_PASSWORD"]
WAIT = 60  # A net under what should come at once.


class State:
    """What a check leaves for those after it."""


now = State()
bearer = []


def same(expected, actual):
    if expected != actual:
        raise AssertionError(f"expected {expected!r:.300}, got {actual!r:.300}")


def refused(call, code):
    """Makes a call that must fail, and gives its status message and details, each by its type's name."""
    try:
        call()
    except grpc.RpcError as error:
        same(code, error.code())
        packed = dict(error.trailing_metadata())["grpc-status-details-bin"]
        status = status_pb2.Status.FromString(packed)
        same(code.value[0], status.code)
        same(error.details(), status.message)
        assert status.message, "no message"
        details = {}
        for packed in status.details:
            name = packed.type_url.split("/")[-1]
            detail = getattr(error_details_pb2, name.split(".")[-1])()
            assert packed.Unpack(detail), name
            details[name] = detail
        same("squall", details["google.rpc.ErrorInfo"].domain)
        return status.message, details
    raise AssertionError(f"expected {code}, got an answer")


class Stream:
    """A subscription that another thread reads, so that each message can be waited for."""

    def __init__(self, **request):
        self.call = notifications.Subscribe(notification_pb2.SubscribeRequest(**request), metadata=bearer)
        self.messages = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            for message in self.call:
                self.messages.put(message)
        except grpc.RpcError as error:
            self.messages.put(error)

    def next(self):
        while True:
            message = self.messages.get(timeout=WAIT)
            if isinstance(message, Exception):
                raise message
            if message.WhichOneof("message") != "heartbeat":
                return message

    def next_of_task(self, task_id):
        """The next notification that tells of this task, after those of lists and members."""
        while True:
            message = self.next()
            same("notification", message.WhichOneof("message"))
            kind = message.notification.WhichOneof("event")
            event = getattr(message.notification, kind)
            if kind == "task_deleted" and event.task_id == task_id:
                return kind, None, message.notification.cursor
            if hasattr(event, "task") and event.task.id == task_id:
                return kind, event.task, message.notification.cursor


def hello():
    answer = greeter.SayHello(greeter_pb2.SayHelloRequest(name="Python"))
    same("Hello, Python", answer.message)
    assert answer.server_version, "no version"
    assert answer.server_time.seconds > 1_700_000_000, "no time"
    same("Hello, world", greeter.SayHello(greeter_pb2.SayHelloRequest()).message)


def register():
    answer = accounts.RegisterAccount(account_pb2.RegisterAccountRequest(
        username=USERNAME.upper(), password=PASSWORD, display_name="Zoë 😀"))
    same(USERNAME, answer.account.username)
    same("Zoë 😀", answer.account.display_name)
    now.account_id = answer.account.id


def login():
    answer = auth.Login(auth_pb2.LoginRequest(username=USERNAME, password=PASSWORD))
    same(now.account_id, answer.account.id)
    same("sqa_", answer.tokens.access_token[:4])
    bearer[:] = [("authorization", "Bearer " + answer.tokens.access_token)]
    same(USERNAME, accounts.GetAccount(account_pb2.GetAccountRequest(), metadata=bearer).account.username)


def subscribe_from_now():
    now.stream = Stream()
    same("synced", now.stream.next().WhichOneof("message"))


def create_list():
    answer = lists.CreateTaskList(task_list_pb2.CreateTaskListRequest(
        task_list=task_list_pb2.TaskList(title="Einkäufe 🛒"), request_id=str(uuid.uuid4())), metadata=bearer)
    same("Einkäufe 🛒", answer.task_list.title)
    same(account_pb2.ROLE_OWNER, answer.task_list.role)
    now.list_id = answer.task_list.id
    mine = lists.ListTaskLists(task_list_pb2.ListTaskListsRequest(), metadata=bearer).task_lists
    same([now.list_id], [one.id for one in mine])


def create_task():
    task = task_pb2.TaskItem(
        task_list_id=now.list_id, title="Buy café crème", note="two\nlines", labels=["shop", "été"],
        priority=task_pb2.PRIORITY_HIGH)
    task.due_time.FromJsonString("2031-02-03T04:05:06.789012Z")
    request = task_pb2.CreateTaskRequest(task=task, request_id=str(uuid.uuid4()))
    now.task = tasks.CreateTask(request, metadata=bearer).task
    same(now.task, tasks.CreateTask(request, metadata=bearer).task)
    same("Buy café crème", now.task.title)
    same(["shop", "été"], list(now.task.labels))
    same("2031-02-03T04:05:06.789012Z", now.task.due_time.ToJsonString())
    same(task_pb2.TASK_STATE_OPEN, now.task.state)
    same(1, now.task.version)
    same(now.account_id, now.task.creator_id)


def list_tasks():
    answer = tasks.ListTasks(task_pb2.ListTasksRequest(
        filter=f'task_list_id = "{now.list_id}" AND state = OPEN AND labels:"shop"'), metadata=bearer)
    same([now.task], list(answer.tasks))
    same("", answer.next_page_token)


def list_the_largest():
    title, note = "😀é漢字" * 125, "漢" * 21_845 + "."
    same((500, 65_536), (len(title), len(note.encode())))
    labels = [f"{number:02}" + "é" * 98 for number in range(50)]
    owner = lists.CreateTaskList(task_list_pb2.CreateTaskListRequest(
        task_list=task_list_pb2.TaskList(title="Large")), metadata=bearer).task_list.id
    made = [tasks.CreateTask(task_pb2.CreateTaskRequest(task=task_pb2.TaskItem(
        task_list_id=owner, title=title, note=note, labels=labels)), metadata=bearer).task for _ in range(50)]
    request = task_pb2.ListTasksRequest(filter=f'task_list_id = "{owner}"', page_size=1_000)
    seen, pages = [], 0
    while True:
        page = tasks.ListTasks(request, metadata=bearer)
        seen.extend(page.tasks)
        pages += 1
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    same([task.id for task in made], [task.id for task in seen])
    assert all(task.title == title and task.note == note and list(task.labels) == labels for task in seen)
    assert pages > 1, "more than 3 MiB came in one page"


def update():
    answer = tasks.UpdateTask(task_pb2.UpdateTaskRequest(
        task=task_pb2.TaskItem(id=now.task.id, title="Buy tea", note="not in the mask"),
        update_mask=field_mask_pb2.FieldMask(paths=["title"]), expected_version=1), metadata=bearer)
    expected = task_pb2.TaskItem()
    expected.CopyFrom(now.task)
    expected.title, expected.version = "Buy tea", 2
    expected.update_time.CopyFrom(answer.task.update_time)
    same(expected, answer.task)
    same(expected, tasks.GetTask(task_pb2.GetTaskRequest(task_id=now.task.id), metadata=bearer).task)


def complete():
    answer = tasks.CompleteTask(task_pb2.CompleteTaskRequest(task_id=now.task.id), metadata=bearer)
    same(task_pb2.TASK_STATE_DONE, answer.task.state)
    same(3, answer.task.version)
    assert answer.task.HasField("complete_time")


def subscribe_saw_each_change():
    created, updated, completed = (now.stream.next_of_task(now.task.id) for _ in range(3))
    same(("task_created", now.task), created[:2])
    same(("task_updated", "Buy tea", 2), (updated[0], updated[1].title, updated[1].version))
    same(("task_completed", 3), (completed[0], completed[1].version))
    now.cursor = created[2]
    now.stream.call.cancel()


def subscribe_resumes():
    stream = Stream(after=now.cursor)
    same(["task_updated", "task_completed"], [stream.next_of_task(now.task.id)[0] for _ in range(2)])
    stream.call.cancel()


def subscribe_to_a_snapshot():
    stream = Stream(snapshot=True, filter=f'task_list_id = "{now.list_id}"')
    first, second = stream.next(), stream.next()
    same((now.task.id, 3), (first.task.id, first.task.version))
    same("synced", second.WhichOneof("message"))
    stream.call.cancel()


def error_invalid_argument():
    message, details = refused(lambda: tasks.CreateTask(task_pb2.CreateTaskRequest(
        task=task_pb2.TaskItem(task_list_id=now.list_id, title="")), metadata=bearer), grpc.StatusCode.INVALID_ARGUMENT)
    assert "title" in message, message
    same(["task.title"], [fault.field for fault in details["google.rpc.BadRequest"].field_violations])


def error_not_found():
    message, details = refused(lambda: tasks.GetTask(
        task_pb2.GetTaskRequest(task_id=str(uuid.uuid4())), metadata=bearer), grpc.StatusCode.NOT_FOUND)
    assert "task" in message, message
    same("NOT_FOUND", details["google.rpc.ErrorInfo"].reason)


def error_aborted():
    _, details = refused(lambda: tasks.ReopenTask(task_pb2.ReopenTaskRequest(
        task_id=now.task.id, expected_version=1), metadata=bearer), grpc.StatusCode.ABORTED)
    same("VERSION_MISMATCH", details["google.rpc.ErrorInfo"].reason)
    same("3", details["google.rpc.ErrorInfo"].metadata["version"])


def error_unauthenticated():
    for metadata in ([], [("authorization", "Bearer sqa_garbled")]):
        message, _ = refused(lambda: accounts.GetAccount(
            account_pb2.GetAccountRequest(), metadata=metadata), grpc.StatusCode.UNAUTHENTICATED)
        assert "Login" in message, message


def error_unimplemented():
    refused(lambda: work.LeaseWork(work_pb2.LeaseWorkRequest(), metadata=bearer), grpc.StatusCode.UNIMPLEMENTED)


def logout():
    auth.Logout(auth_pb2.LogoutRequest(), metadata=bearer)
    refused(lambda: accounts.GetAccount(account_pb2.GetAccountRequest(), metadata=bearer),
            grpc.StatusCode.UNAUTHENTICATED)


for check in (
        hello, register, login, subscribe_from_now, create_list, create_task, list_tasks, update, complete,
        subscribe_saw_each_change, subscribe_resumes, subscribe_to_a_snapshot, list_the_largest,
        error_invalid_argument, error_not_found, error_aborted, error_unauthenticated, error_unimplemented, logout):
    try:
        check()
        print("ok", check.__name__, flush=True)
    except Exception as error:  # Each check stands for itself: the next ones are made all the same.
        frames = traceback.extract_tb(error.__traceback__)
        where = [frame.lineno for frame in frames if frame.filename == __file__][-1]
        text = f"{error.code().name} {error.details()}" if isinstance(error, grpc.Call) else repr(error)
        print(f"failed {check.__name__}: line {where}: {' '.join(text.split())[:500]}", flush=True)
