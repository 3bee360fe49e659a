// Logs in through @grpc/grpc-js, renews, and is refused, as an outsider would: what login.py does, in the same words.
//
//   node login.js HOST:PORT HOST:PORT REPOSITORY
'use strict';
const assert = require('node:assert/strict');
const { randomUUID } = require('node:crypto');
const path = require('node:path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');
const { soon } = require('./checks.js');

const [patient, strict, repository] = process.argv.slice(2);
const names = ['account', 'auth', 'notification'].map((name) => `squall/v1/${name}.proto`);
const definition = loader.loadSync([...names, 'google/rpc/status.proto', 'google/rpc/error_details.proto'], {
  includeDirs: [path.join(repository, 'protos'), path.join(repository, 'src/Rpc/protos')],
});
const squall = grpc.loadPackageDefinition(definition).squall.v1;
const right = process.env.PEER_PASSWORD;
const wrong = process.env.PEER_WRONG_PASSWORD;

function bearer(token) {
  const metadata = new grpc.Metadata();
  if (token) metadata.set('authorization', `Bearer ${token}`);
  return metadata;
}

const send = (client, rpc, request, token) =>
  new Promise((resolve, reject) => {
    client[rpc](request, bearer(token), (error, answer) => (error ? reject(error) : resolve(answer)));
  });

// One who has an account of a server.
class Peer {
  constructor(address) {
    const open = (service) => new squall[service](address, grpc.credentials.createInsecure());
    this.auth = open('AuthService');
    this.accounts = open('AccountService');
    this.notifications = open('NotificationService');
    this.name = `node-${randomUUID().slice(0, 8)}`;
  }

  register() {
    return send(this.accounts, 'RegisterAccount', { username: this.name, password: right });
  }

  async login(username = this.name, password = right) {
    return (await send(this.auth, 'Login', { username, password })).tokens;
  }

  async call(token) {
    assert.equal((await send(this.accounts, 'GetAccount', {}, token)).account.username, this.name);
  }

  async refresh(refreshToken) {
    return (await send(this.auth, 'RefreshSession', { refreshToken })).tokens;
  }

  async endedStream(owner, ended) {
    const stream = this.notifications.Subscribe({}, bearer(ended.accessToken));
    const end = new Promise((resolve, reject) => stream.on('error', reject).on('end', resolve));
    end.catch(() => {});
    assert.ok((await soon(new Promise((resolve) => stream.once('data', resolve)))).synced);
    stream.on('data', (message) => assert.ok(message.heartbeat));
    const { sessions } = await send(this.auth, 'ListSessions', {}, ended.accessToken);
    const { id } = sessions.find((session) => session.current);
    await send(this.auth, 'RevokeSession', { sessionId: id }, owner.accessToken);
    await soon(end);
  }
}

async function tell(name, call) {
  try {
    const answer = await call();
    console.log(`${name}: OK`);
    return answer;
  } catch (error) {
    if (!error.metadata) throw error;
    const status = definition['google.rpc.Status'].deserialize(error.metadata.get('grpc-status-details-bin')[0]);
    assert.deepEqual([status.code, status.message], [error.code, error.details]);
    const type = 'google.rpc.ErrorInfo';
    const packed = status.details.find((detail) => (detail.typeUrl ?? detail.type_url).endsWith(type));
    const cause = definition[type].deserialize(packed.value);
    assert.equal(cause.domain, 'squall');
    console.log(`${name}: ${grpc.status[error.code]} ${cause.reason} ${error.details}`);
    return undefined;
  }
}

async function main() {
  let peer = new Peer(patient);
  await peer.register();
  const first = await tell('log in', () => peer.login());
  await tell('call', () => peer.call(first.accessToken));
  await tell('call without a token', () => peer.call());
  await tell('call with a malformed token', () => peer.call('sqa_garbled'));
  await tell("call with a token of nobody's", () => peer.call(`sqa_${'A'.repeat(43)}`));
  await tell('call with a refresh token', () => peer.call(first.refreshToken));
  await tell('log in with a wrong password', () => peer.login(peer.name, wrong));
  await tell('log in as nobody', () => peer.login('nobody.at.all', wrong));
  await tell('log in without a password', () => peer.login(peer.name, ''));
  const second = await tell('refresh', () => peer.refresh(first.refreshToken));
  assert.ok(second.accessToken !== first.accessToken && second.refreshToken !== first.refreshToken);
  await tell('call after it', () => peer.call(second.accessToken));
  await tell("refresh with a token of nobody's", () => peer.refresh(`sqr_${'A'.repeat(43)}`));
  const third = await tell('refresh once more with the spent one, in time', () => peer.refresh(first.refreshToken));
  await tell('call with the pair that this replaces', () => peer.call(second.accessToken));
  await tell('refresh with the pair that this replaces', () => peer.refresh(second.refreshToken));
  await tell('call with the new pair', () => peer.call(third.accessToken));
  await tell('stream of a session that is revoked', async () => peer.endedStream(third, await peer.login()));
  await tell('log out', () => send(peer.auth, 'Logout', {}, third.accessToken));
  await tell('call after logging out', () => peer.call(third.accessToken));
  await tell('refresh after logging out', () => peer.refresh(third.refreshToken));

  peer = new Peer(strict);
  await peer.register();
  const spent = await peer.login();
  const next = await peer.refresh(spent.refreshToken);
  await tell('refresh once more with the spent one, too late', () => peer.refresh(spent.refreshToken));
  await tell('call of the session that this ends', () => peer.call(next.accessToken));
  await tell('refresh of the session that this ends', () => peer.refresh(next.refreshToken));
}

main().then(() => process.exit(0));
