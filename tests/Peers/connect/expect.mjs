// What checks expect, in a page as well as in Node.
import { Code, ConnectError } from '@connectrpc/connect';

export function equal(actual, expected) {
  const [was, should] = [actual, expected].map((value) => JSON.stringify(value));
  if (was !== should) throw new Error(`expected ${should}, and got ${was}`);
}

// The error of what must fail with this code.
export async function fails(code, promise) {
  const error = await promise.then(
    (answer) => Promise.reject(new Error(`expected ${Code[code]}, and got an answer ${answer}`)),
    (reason) => reason,
  );
  if (!(error instanceof ConnectError)) throw error;
  if (error.code !== code) throw new Error(`expected ${Code[code]}, and got ${error.message}`);
  return error;
}

// The next message of a stream; undefined at its end.
export async function next(messages) {
  const { done, value } = await messages.next();
  return done ? undefined : value;
}
