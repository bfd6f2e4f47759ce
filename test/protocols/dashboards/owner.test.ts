import type { InstanceDetails } from '../../../src/broker/operator-view.ts';
import { ownerPage } from '../../../src/protocols/dashboard/content/owner.ts';
import { parameterTable } from '../../../src/protocols/dashboard/content/parameters.ts';

/** What of an instance its owner is shown, and what is kept from them. */

function shownOf(parameters: object, schema?: object): Readonly<Record<string, string | undefined>> {
  const { rows } = parameterTable(parameters as never, schema as never);
  return Object.fromEntries(rows.map(([name, value]) => [name?.[0]?.text, value?.[0]?.text]));
}

const hidden = 'is not shown';

test.each([
  ['password', hidden],
  ['db_password', hidden],
  ['adminPassword', hidden],
  ['apiKey', hidden],
  ['token', hidden],
  ['private_pem', hidden],
  ['monkey', 'x'],
  ['keyboard', 'x'],
  ['size', 'x'],
])('A parameter that is called %s has the value: %s', (name, expected) => {
  expect(shownOf({ [name]: 'x' })).toEqual({ [name]: expected });
  expect(shownOf({ deep: { [name]: 'x' } })).toEqual({ [`deep.${name}`]: expected });
});

test('A parameter is not shown where its schema says so, where a login stands in it, or something in a list is secret.', () => {
  const properties = { a: { writeOnly: true }, b: { items: { format: 'password' } }, c: {} };
  expect(shownOf({ a: 'x', b: ['x'], c: 'x' }, { properties })).toEqual({ a: hidden, b: hidden, c: 'x' });
  expect(shownOf({ to: 'redis://u:p@host', at: 'redis://host', all: [{ name: 'n', secret: 's' }] })).toEqual({
    to: hidden,
    at: 'redis://host',
    all: hidden,
  });
});

test('A reason does not tell an owner the name of the node, nor a failure what is behind its sentence.', () => {
  const at = new Date(0);
  const reason = 'its node rack-7 has not been heard of since then';
  const failure = { word: 'internal', sentence: 'It could not be made.', detail: 'ENOENT /srv/secret' };
  const details = {
    instance: { id: 'acme::i1', place: { node: 'rack-7' }, createdAt: at, updatedAt: at },
    owner: {},
    status: {
      status: 'down',
      reason,
      units: [{ unit: 'main', status: 'down', reason, since: '' }],
      addresses: [],
    },
    state: 'ready',
    offering: 'o',
    plan: 'p',
    bound: [],
    operations: [{ operation: { kind: 'update', state: 'failed', failure, createdAt: at }, timeline: [] }],
  } as unknown as InstanceDetails;
  const page = JSON.stringify(
    ownerPage({ owned: { key: 'k', parameters: {}, hasBackups: true }, details, backups: [] }),
  );
  expect(page).not.toMatch(/rack-7|ENOENT|acme/);
  expect(page).toContain('its node has not been heard of');
  expect(page).toContain('It could not be made.');
});
