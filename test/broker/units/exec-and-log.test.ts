import type { BrokerContext, Peer } from '../../../src/broker/context.ts';
import { Failure, Refusal } from '../../../src/broker/errors.ts';
import type { Execution } from '../../../src/broker/units.ts';
import { aPlan, toProvision } from '../fixtures.ts';
import { coreInMemory, gate, scripted } from '../core-in-memory.ts';

const plan = aPlan({ making: { secrets: { admin: { per: 'instance', length: 20 } } } });
const units = ['redis', 'web'];
const inspect = async () => units.map((unit) => ({ unit, alive: true, answer: 'ready' as const }));
const toRun: Execution = { command: ['ps'], timeout: 1000 };

type Script = Parameters<typeof scripted>[0];

/** What it wrote holds a secret; a command that `fails` gives 3. */
const able: Script = {
  inspect,
  exec: async ({ values }, { unit, command: [word] }) =>
    units
      .filter((one) => unit === undefined || unit === one)
      .map((one) => ({
        unit: one,
        code: word === 'fails' ? 3 : 0,
        output: `${one} knows ${JSON.stringify(values['secrets'])}`,
      })),
  log: async ({ instance }, { unit, lines }) =>
    units
      .filter((one) => unit === undefined || unit === one)
      .map((one) => ({ unit: one, text: `${lines} lines: ${instance.confidential.secrets['admin']}` })),
};

async function made(script: Script = able, deps: Partial<BrokerContext> = {}) {
  const { provisioner } = scripted(script);
  const core = coreInMemory(provisioner, [plan]);
  const { broker, work } = core.broker({}, deps);
  await broker.provision(toProvision());
  return { broker, work };
}

describe('A command', () => {
  test('A command runs beside every unit, or beside one, and its output holds no secret.', async () => {
    const { broker } = await made();
    expect(await broker.exec('i1', toRun)).toEqual([
      { unit: 'redis', code: 0, output: 'redis knows {"admin":"***"}' },
      { unit: 'web', code: 0, output: 'web knows {"admin":"***"}' },
    ]);
    expect(await broker.exec('i1', { ...toRun, command: ['fails'], unit: 'web' })).toEqual([
      { unit: 'web', code: 3, output: 'web knows {"admin":"***"}' },
    ]);
  });

  test('A command is refused for a unit that there is not; the units are named.', async () => {
    const { broker } = await made();
    await expect(broker.exec('i1', { ...toRun, unit: 'other' })).rejects.toMatchObject({
      code: 'invalid',
      message: "The service instance has no unit 'other'. Its units are: redis, web.",
    });
  });

  test('A command is refused where there are no units.', async () => {
    const { broker } = await made({ inspect: async () => [], exec: async () => [] });
    await expect(broker.exec('i1', toRun)).rejects.toMatchObject({ code: 'not-ready' });
    await expect(broker.exec('i1', { ...toRun, unit: 'other' })).rejects.toMatchObject({
      message: "The service instance has no unit 'other'. It has no units.",
    });
  });

  test.each<[string, Script]>([
    ['without units', {}],
    ['that cannot run commands', { inspect }],
  ])('A command is refused by a provisioner %s.', async (_title, script) => {
    const { broker } = await made(script);
    await expect(broker.exec('i1', toRun)).rejects.toMatchObject({
      code: 'unsupported',
      message: `Nothing can be run beside the units of ${plan.offeringName}.`,
    });
    await expect(broker.log('i1', { lines: 5 })).rejects.toMatchObject({
      code: 'unsupported',
      message: `There is no log of the units of ${plan.offeringName}.`,
    });
  });

  test('A command is refused for an instance that is not there, or not finished.', async () => {
    const finished = gate();
    const { broker, work } = await made({
      ...able,
      provision: ({ instance }) =>
        instance.id === 'i1' ? { done: {} } : finished.passed.then(() => ({ done: {} })),
    });
    await expect(broker.exec('i2', toRun)).rejects.toMatchObject({ code: 'not-found' });
    await broker.provision(toProvision({ instanceId: 'i2', acceptsIncomplete: true }));
    await expect(broker.exec('i2', toRun)).rejects.toMatchObject({ code: 'not-ready' });
    finished.open();
    await work.rest();
  });

  test.each<[string, (secret: string) => Error, object]>([
    [
      'a refusal',
      (secret) => new Refusal('not-ready', `No shell for ${secret}.`),
      { code: 'not-ready', message: 'No shell for ***.' },
    ],
    [
      'a failure',
      (secret) => new Failure('exec', `It wanted ${secret}.`, { detail: `pw=${secret}` }),
      { word: 'exec', message: 'It wanted ***.', hints: { detail: 'pw=***' } },
    ],
    [
      'anything else',
      (secret) => new Error(`spawn ${secret} failed`),
      {
        word: 'exec',
        message: 'The units could not be asked.',
        hints: { detail: 'Error: spawn *** failed' },
      },
    ],
  ])('A command that ends in %s tells no secret.', async (_title, errorOf, expected) => {
    const { broker } = await made({
      ...able,
      exec: ({ instance }) => Promise.reject(errorOf(instance.confidential.secrets['admin'] ?? '')),
    });
    await expect(broker.exec('i1', toRun)).rejects.toMatchObject(expected);
  });
});

test('A log holds no secret.', async () => {
  const { broker } = await made();
  expect(await broker.log('i1', { lines: 5, unit: 'redis' })).toEqual([
    { unit: 'redis', text: '5 lines: ***' },
  ]);
  await expect(broker.log('i1', { lines: 5, unit: 'other' })).rejects.toMatchObject({ code: 'invalid' });
});

describe('What is asked of the units of another node', () => {
  async function onNodes() {
    const { provisioner } = scripted(able, { local: true });
    const core = coreInMemory(provisioner, [plan]);
    await core.beat({ name: 'n1' });
    const { broker } = core.broker({ node: 'n1' });
    await broker.provision(toProvision());
    const peer = (): Peer => ({
      exec: (id, execution) => broker.exec(id, execution),
      log: (id, query) => broker.log(id, query),
    });
    const elsewhere = core.broker({ node: 'n2' }, { peer });
    return { pass: (ms: number) => core.pass(ms), elsewhere: elsewhere.broker };
  }

  test('What is asked of the units of another node is passed on to the broker of that node.', async () => {
    const { elsewhere } = await onNodes();
    expect(await elsewhere.exec('i1', { ...toRun, unit: 'web' })).toEqual([
      { unit: 'web', code: 0, output: 'web knows {"admin":"***"}' },
    ]);
    expect(await elsewhere.log('i1', { lines: 1, unit: 'web' })).toHaveLength(1);
    await expect(elsewhere.exec('i1', { ...toRun, unit: 'other' })).rejects.toMatchObject({
      code: 'invalid',
    });
  });

  test('What is asked of the units of another node is refused while that node is silent.', async () => {
    const { elsewhere, pass } = await onNodes();
    pass(31_000);
    await expect(elsewhere.exec('i1', toRun)).rejects.toMatchObject({
      code: 'unavailable',
      message: "The node 'n1' of the service instance does not answer.",
    });
  });
});
