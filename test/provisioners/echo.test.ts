import { Failure } from '../../src/broker/errors.ts';
import type { Json } from '../../src/broker/json.ts';
import { answerTo } from '../../src/provisioners/echo/answer.ts';
import { echoFacts, findEchoFacts } from '../../src/provisioners/echo/facts.ts';
import { echo } from '../../src/provisioners/echo/index.ts';
import { excerpt } from '../../src/provisioners/echo/message.ts';
import { sameToken } from '../../src/provisioners/echo/tokens.ts';
import { aBinding, anInstance, aPlan } from '../broker/fixtures.ts';
import { aWork, describeProvisioner } from './contract.ts';

const secrets = {
  token: { per: 'binding', length: 40 },
  dashboard_token: { per: 'instance', length: 40 },
} as const;
const making = { provisioner: 'echo', config: { answer: 'invert' }, settings: { keep: 5 }, secrets };

describeProvisioner('the echo one', () => ({ provisioner: echo(), making }));

test('An instance remembers how it answers and how much it keeps.', async () => {
  const facts = { echo: { answer: 'invert', keep: 5 } };
  expect(await echo().provision(aWork({ plan: aPlan({ making }) }))).toEqual({ done: { facts } });
  expect(await echo().update?.(aWork({ plan: aPlan({ making }) }))).toEqual({ done: { facts } });
});

test('A plan that says nothing echoes and keeps 100 messages.', () => {
  expect(echoFacts(aPlan({ making: { config: {}, settings: {} } }).making)).toEqual({
    echo: { answer: 'echo', keep: 100 },
  });
});

test.each([
  ['token', { dashboard_token: secrets.dashboard_token }],
  ['token', { ...secrets, token: { per: 'instance', length: 40 } }],
  ['dashboard_token', { token: secrets.token }],
] as const)('Without the secret %s nothing is made, and the operator is told.', async (name, has) => {
  const work = aWork({ plan: aPlan({ making: { ...making, secrets: has } }) });
  const failed = (await echo()
    .provision(work)
    .catch((error: unknown) => error)) as Failure;
  expect(failed).toBeInstanceOf(Failure);
  expect(failed.message).not.toContain(name);
  expect(failed.hints.detail).toContain(`must have the secret '${name}' per`);
});

test('Only a finished instance of this provisioner has its facts.', () => {
  const { confidential } = anInstance();
  const facts = { echo: { answer: 'echo', keep: 7 } };
  expect(findEchoFacts(anInstance({ confidential: { ...confidential, facts } }))?.keep).toBe(7);
  expect(
    findEchoFacts(anInstance({ confidential: { ...confidential, facts }, ready: false })),
  ).toBeUndefined();
  expect(
    findEchoFacts(anInstance({ confidential: { ...confidential, facts: { thing: {} } } })),
  ).toBeUndefined();
  expect(findEchoFacts(undefined)).toBeUndefined();
});

test.each([
  ['Hello World', 'dlroW olleH'],
  ['', ''],
  ['añb👍🏽', '👍🏽bña'],
  ['an\u0303b', 'bn\u0303a'],
  ['🇩🇪🇫🇷', '🇫🇷🇩🇪'],
  ['x👩‍👩‍👧‍👦y', 'y👩‍👩‍👧‍👦x'],
  ['a\r\nb', 'b\r\na'],
  ['한국', '국한'],
  ['e\u0301\u0323!', '!e\u0301\u0323'],
  ['\u0000a', 'a\u0000'],
])('%j is inverted to %j.', (message, inverted) => {
  expect(answerTo(message, 'invert')).toBe(inverted);
});

test.each<[Json]>([[1], [null], [true], [['a', 'b']], [{ a: 'b' }]])(
  'What is not a string cannot be inverted: %j.',
  (message) => {
    expect(() => answerTo(message, 'invert')).toThrow('The message must be a string to be inverted.');
    expect(answerTo(message, 'echo')).toEqual(message);
  },
);

test.each([
  ['short', '"short"'],
  [{ a: [1, null] }, '{"a":[1,null]}'],
  ['\u0000\ud83d', '"\\u0000\\ud83d"'],
  ['x'.repeat(2000), `"${'x'.repeat(999)}…`],
  ['👍'.repeat(2000), `"${'👍'.repeat(499)}…`],
])('Of a message its JSON text is kept, cut between characters (%#).', (message, kept) => {
  expect(excerpt(message)).toBe(kept);
});

test('No token is the same as one that does not exist.', () => {
  expect(sameToken('secret', 'secret')).toBe(true);
  expect(sameToken('secret', 'secrets')).toBe(false);
  expect(sameToken('', '')).toBe(false);
  expect(sameToken('', undefined)).toBe(false);
  expect(sameToken('undefined', aBinding().confidential.secrets['token'])).toBe(false);
});
