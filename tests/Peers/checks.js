// Runs checks one after the other, and says one line for each: "ok <check>", or "failed <check>: <why>".
'use strict';

const waitMillis = 20_000; // A net under what should come at once.

// What the promise gives, unless it takes longer than anything should.
function soon(promise) {
  let net;
  const late = new Promise((_, reject) => {
    net = setTimeout(() => reject(new Error('nothing came')), waitMillis);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(net));
}

async function run(checks, say = console.log) {
  for (const [name, check] of Object.entries(checks)) {
    try {
      await soon(check());
      say(`ok ${name}`);
    } catch (error) {
      const text = String(error.message ?? error).replace(/\s+/g, ' ');
      say(`failed ${name}: ${text.slice(0, 500)}`);
    }
  }
}

module.exports = { run, soon };
