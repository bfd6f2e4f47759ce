// What is told of a failure is a tail of what was said: where it is cut, no part of a secret is left.
import { randomBytes } from 'node:crypto';
import { common, planOf } from './offerings.ts';
import { openOneNode, type Maker, type OneNode } from './one-node.ts';

const env = { TOKEN: '{{params.token}}' };
const offering = {
  ...common('tails', [planOf('tails', 'small')], 'command'),
  parameters: { token: { type: 'string' }, after: { type: 'integer' } },
  config: {},
  hooks: { prepare: { run: ['./hooks/tails/fail', '{{params.after}}'], env } },
  credentials: { name: '{{instance.key}}' },
};
const scripts = {
  'tails/fail': `printf '%s' "$TOKEN" >&2; head -c "$1" /dev/zero | tr '\\0' '.' >&2; exit 1`,
};

let oneNode: OneNode;
let broker: Maker;
beforeAll(async () => {
  oneNode = await openOneNode([offering], scripts);
  broker = await oneNode.start();
});
afterAll(() => oneNode.close());

test.each([
  ['within the secret, in the sentence', '', 460],
  ['within the secret, in the detail', '', 3960],
  ['within the secret, in what is kept of it at all', '', 16_340],
  ['nowhere, and the secret has many lines', '\n', 10],
  ['within a secret of many lines', '\n', 400],
])('No secret is told in a message that is cut %s.', async (_where, separator, after) => {
  const parts = Array.from({ length: 6 }, () => randomBytes(8).toString('hex'));
  const token = ['BEGIN', ...parts, 'END'].join(separator);
  const id = `tails-${after}-${process.pid}`;
  const { status, body } = await broker.provision(id, { offering: 'tails', plan: 'small' }, { token, after });
  expect(status).toBe(500);
  const told = JSON.stringify([body, await broker.details(id), broker.lines()]);
  expect(told).toContain('.'.repeat(10));
  expect(parts.filter((part) => told.includes(part.slice(0, 12)) || told.includes(part.slice(4)))).toEqual(
    [],
  );
});
