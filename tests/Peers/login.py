"""Logs in through grpcio, renews, and is refused, with stubs made from the contract, as an outsider would.

    login.py HOST:PORT HOST:PORT STUBS

The first server lets a spent refresh token be used again for a while, the second one does not. The passwords are in
PEER_PASSWORD and PEER_WRONG_PASSWORD. Prints a line a case: its name, the code, the reason and the message.
"""
import os
import sys
import uuid

sys.path.insert(0, sys.argv[3])

import grpc  # noqa: E402
from google.rpc import error_details_pb2, status_pb2  # noqa: E402
from squall.v1 import account_pb2, account_pb2_grpc, auth_pb2, auth_pb2_grpc  # noqa: E402
from squall.v1 import notification_pb2, notification_pb2_grpc  # noqa: E402

PASSWORD, WRONG = os.environ["PEER_PASSWORD"], os.environ["PEER_WRONG_PASSWORD"]
WAIT = 60  # A net under what should come at once.


class Peer:
    """One who has an account of a server."""

    def __init__(self, target):
        self.channel = grpc.insecure_channel(target)
        self.auth = auth_pb2_grpc.AuthServiceStub(self.channel)
        self.accounts = account_pb2_grpc.AccountServiceStub(self.channel)
        self.notifications = notification_pb2_grpc.NotificationServiceStub(self.channel)
        self.name = "python-" + uuid.uuid4().hex[:12]
        self.accounts.RegisterAccount(account_pb2.RegisterAccountRequest(username=self.name, password=PASSWORD))

    def login(self, name=None, password=PASSWORD):
        return self.auth.Login(auth_pb2.LoginRequest(username=name or self.name, password=password)).tokens

    def call(self, token=None):
        answer = self.accounts.GetAccount(account_pb2.GetAccountRequest(), metadata=bearer(token))
        assert answer.account.username == self.name
        return answer

    def refresh(self, token):
        return self.auth.RefreshSession(auth_pb2.RefreshSessionRequest(refresh_token=token)).tokens


def bearer(token):
    return [("authorization", "Bearer " + token)] if token else []


def tell(case, call):
    try:
        answer = call()
        print(f"{case}: OK", flush=True)
        return answer
    except grpc.RpcError as error:
        status = status_pb2.Status.FromString(dict(error.trailing_metadata())["grpc-status-details-bin"])
        assert (status.code, status.message) == (error.code().value[0], error.details())
        cause = error_details_pb2.ErrorInfo()
        assert [packed for packed in status.details if packed.Unpack(cause)] and cause.domain == "squall"
        print(f"{case}: {error.code().name} {cause.reason} {error.details()}", flush=True)
        return None


def ended_stream(peer, owner, ended):
    stream = peer.notifications.Subscribe(
        notification_pb2.SubscribeRequest(), metadata=bearer(ended.access_token), timeout=WAIT)
    assert next(stream).WhichOneof("message") == "synced"
    sessions = peer.auth.ListSessions(auth_pb2.ListSessionsRequest(), metadata=bearer(ended.access_token)).sessions
    current = [session.id for session in sessions if session.current]
    peer.auth.RevokeSession(
        auth_pb2.RevokeSessionRequest(session_id=current[0]), metadata=bearer(owner.access_token))
    for message in stream:
        assert message.WhichOneof("message") == "heartbeat"


peer = Peer(sys.argv[1])
first = tell("log in", peer.login)
tell("call", lambda: peer.call(first.access_token))
tell("call without a token", peer.call)
tell("call with a malformed token", lambda: peer.call("sqa_garbled"))
tell("call with a token of nobody's", lambda: peer.call("sqa_" + "A" * 43))
tell("call with a refresh token", lambda: peer.call(first.refresh_token))
tell("log in with a wrong password", lambda: peer.login(password=WRONG))
tell("log in as nobody", lambda: peer.login("nobody.at.all", WRONG))
tell("log in without a password", lambda: peer.login(password=""))
second = tell("refresh", lambda: peer.refresh(first.refresh_token))
assert second.access_token != first.access_token and second.refresh_token != first.refresh_token
tell("call after it", lambda: peer.call(second.access_token))
tell("refresh with a token of nobody's", lambda: peer.refresh("sqr_" + "A" * 43))
third = tell("refresh once more with the spent one, in time", lambda: peer.refresh(first.refresh_token))
tell("call with the pair that this replaces", lambda: peer.call(second.access_token))
tell("refresh with the pair that this replaces", lambda: peer.refresh(second.refresh_token))
tell("call with the new pair", lambda: peer.call(third.access_token))
tell("stream of a session that is revoked", lambda: ended_stream(peer, third, peer.login()))
tell("log out", lambda: peer.auth.Logout(auth_pb2.LogoutRequest(), metadata=bearer(third.access_token)))
tell("call after logging out", lambda: peer.call(third.access_token))
tell("refresh after logging out", lambda: peer.refresh(third.refresh_token))

peer = Peer(sys.argv[2])
first = peer.login()
second = peer.refresh(first.refresh_token)
tell("refresh once more with the spent one, too late", lambda: peer.refresh(first.refresh_token))
tell("call of the session that this ends", lambda: peer.call(second.access_token))
tell("refresh of the session that this ends", lambda: peer.refresh(second.refresh_token))
