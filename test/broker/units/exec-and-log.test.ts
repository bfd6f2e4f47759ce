import type { Exec, ReadLog } from '../../../src/broker/commands.ts';
import type { BrokerContext, Peer } from '../../../src/broker/context.ts';
import { Failure, Refusal } from '../../../src/broker/errors.ts';
import { aPlan, toProvision } from '../fixtures.ts';
import { coreInMemory, gate, scripted } from '../core-in-memory.ts';

const plan = aPlan({ making: { secrets: { admin: { per: 'instance', length: 20 } } } });
const units = ['redis', 'web'];
const inspect = async () => units.map((unit) => ({ unit, alive: true, answer: 'ready' as const }));
const asked = { instanceId: 'i1', origin: { protocol: 'operator', principal: 'ops', requestId: 'r1' } };
const toRun: Exec = { ...asked, command: ['ps'], timeout: 1000 };
const toRead: ReadLog = { ...asked, lines: 5 };

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
  core.events.splice(0);
  return { broker, work, events: core.events };
}

describe('A command', () => {
  test('A command runs beside every unit, or beside one, and its output holds no secret.', async () => {
    const { broker } = await made();
    expect(await broker.exec(toRun)).toEqual([
      { unit: 'redis', code: 0, output: 'redis knows {"admin":"***"}' },
      { unit: 'web', code: 0, output: 'web knows {"admin":"***"}' },
    ]);
    expect(await broker.exec({ ...toRun, command: ['fails'], unit: 'web' })).toEqual([
      { unit: 'web', code: 3, output: 'web knows {"admin":"***"}' },
    ]);
  });

  test('A command is refused for a unit that there is not; the units are named.', async () => {
    const { broker } = await made();
    await expect(broker.exec({ ...toRun, unit: 'other' })).rejects.toMatchObject({
      code: 'invalid',
      message: "The service instance has no unit 'other'. Its units are: redis, web.",
    });
  });

  test('A command is refused where there are no units.', async () => {
    const { broker } = await made({ inspect: async () => [], exec: async () => [] });
    await expect(broker.exec(toRun)).rejects.toMatchObject({ code: 'not-ready' });
    await expect(broker.exec({ ...toRun, unit: 'other' })).rejects.toMatchObject({
      message: "The service instance has no unit 'other'. It has no units.",
    });
  });

  test.each<[string, Script]>([
    ['without units', {}],
    ['that cannot run commands', { inspect }],
  ])('A command is refused by a provisioner %s.', async (_title, script) => {
    const { broker } = await made(script);
    await expect(broker.exec(toRun)).rejects.toMatchObject({
      code: 'unsupported',
      message: `Nothing can be run beside the units of ${plan.offeringName}.`,
    });
    await expect(broker.log(toRead)).rejects.toMatchObject({
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
    await expect(broker.exec({ ...toRun, instanceId: 'i2' })).rejects.toMatchObject({ code: 'not-found' });
    await broker.provision(toProvision({ instanceId: 'i2', acceptsIncomplete: true }));
    await expect(broker.exec({ ...toRun, instanceId: 'i2' })).rejects.toMatchObject({ code: 'not-ready' });
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
      'want of descriptors',
      (secret) => Object.assign(new Error(`spawn ${secret} EMFILE`), { code: 'EMFILE' }),
      {
        code: 'unavailable',
        message: 'The machine of the service instance has no room for this at the moment. Try again later.',
      },
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
    await expect(broker.exec(toRun)).rejects.toMatchObject(expected);
  });
});

test('A log holds no secret.', async () => {
  const { broker } = await made();
  expect(await broker.log({ ...toRead, unit: 'redis' })).toEqual([{ unit: 'redis', text: '5 lines: ***' }]);
  await expect(broker.log({ ...toRead, unit: 'other' })).rejects.toMatchObject({ code: 'invalid' });
});

test('A unit that could not be looked for, for want of descriptors, is not said to be none.', async () => {
  const short = () => Promise.reject(Object.assign(new Error('open EMFILE'), { code: 'EMFILE' }));
  const { broker } = await made({ ...able, inspect: short, log: short });
  for (const unit of ['redis', undefined]) {
    await expect(broker.exec({ ...toRun, unit: 'redis' })).rejects.toMatchObject({ code: 'unavailable' });
    await expect(broker.log({ ...toRead, unit })).rejects.toMatchObject({ code: 'unavailable' });
  }
});

describe('What is told of what was asked of units', () => {
  const ended = { type: 'command-ended', origin: asked.origin, ms: expect.any(Number) as number };

  test('What is told of a command: who asked, the program and how it ended; of its arguments nothing but their number.', async () => {
    const { broker, events } = await made();
    await broker.exec({ ...toRun, command: ['redis-cli', '-a', 'canary'] });
    await broker.exec({ ...toRun, command: ['fails'], unit: 'web' });
    const ran = { kind: 'exec', instanceId: 'i1' };
    expect(events).toEqual([
      {
        ...ended,
        failure: undefined,
        command: {
          ...ran,
          unit: undefined,
          program: 'redis-cli',
          argumentCount: 2,
          ended: ['redis', 'web'].map((unit) => ({ unit, code: 0 })),
        },
      },
      {
        ...ended,
        failure: undefined,
        command: {
          ...ran,
          unit: 'web',
          program: 'fails',
          argumentCount: 0,
          ended: [{ unit: 'web', code: 3 }],
        },
      },
    ]);
    expect(JSON.stringify(events)).not.toMatch(/canary|ssss|knows/);
  });

  test.each([
    ['redis-cli -a canary', 'redis-cli'],
    ['PGPASSWORD=canary psql', 'PGPASSWORD'],
    ['psql\n--canary', 'psql'],
    ['x'.repeat(1000), 'x'.repeat(200)],
  ])('What is told of a command that is one word, %j, is its program alone.', async (word, program) => {
    const { broker, events } = await made();
    await broker.exec({ ...toRun, command: [word] });
    expect(events).toMatchObject([{ command: { program } }]);
    expect(JSON.stringify(events)).not.toContain('canary');
  });

  test('What is told of a command or a log that failed: its word and its sentence, without a secret.', async () => {
    const { broker, events } = await made({
      ...able,
      exec: ({ instance }) =>
        Promise.reject(new Error(`spawn ${instance.confidential.secrets['admin']} failed`)),
    });
    await expect(broker.exec(toRun)).rejects.toThrow('could not be asked');
    await expect(broker.log({ ...toRead, unit: 'other' })).rejects.toThrow('no unit');
    await broker.log(toRead);
    const read = { kind: 'log', instanceId: 'i1', lines: 5 };
    expect(events).toEqual([
      {
        ...ended,
        command: {
          kind: 'exec',
          instanceId: 'i1',
          unit: undefined,
          program: 'ps',
          argumentCount: 0,
          ended: [],
        },
        failure: { word: 'exec', sentence: 'The units could not be asked.' },
      },
      {
        ...ended,
        command: { ...read, unit: 'other' },
        failure: {
          word: 'invalid',
          sentence: "The service instance has no unit 'other'. Its units are: redis, web.",
        },
      },
      { ...ended, command: { ...read, unit: undefined }, failure: undefined },
    ]);
  });
});

describe('What is asked of the units of another node', () => {
  async function onNodes() {
    const { provisioner } = scripted(able, { local: true });
    const core = coreInMemory(provisioner, [plan]);
    await core.beat({ name: 'n1' });
    const { broker } = core.broker({ node: 'n1' });
    await broker.provision(toProvision());
    const peer = (): Peer => ({
      exec: (command) => broker.exec({ ...command, passedOn: true }),
      log: (command) => broker.log({ ...command, passedOn: true }),
    });
    const elsewhere = core.broker({ node: 'n2' }, { peer });
    core.events.splice(0);
    return { pass: (ms: number) => core.pass(ms), elsewhere: elsewhere.broker, events: core.events };
  }

  test('What is asked of the units of another node is passed on to the broker of that node.', async () => {
    const { elsewhere } = await onNodes();
    expect(await elsewhere.exec({ ...toRun, unit: 'web' })).toEqual([
      { unit: 'web', code: 0, output: 'web knows {"admin":"***"}' },
    ]);
    expect(await elsewhere.log({ ...toRead, lines: 1, unit: 'web' })).toHaveLength(1);
    await expect(elsewhere.exec({ ...toRun, unit: 'other' })).rejects.toMatchObject({
      code: 'invalid',
    });
  });

  test('What is asked of the units of another node is told once, however it ends.', async () => {
    const { elsewhere, events, pass } = await onNodes();
    await elsewhere.exec({ ...toRun, unit: 'web' });
    await elsewhere.log({ ...toRead, unit: 'web' });
    await expect(elsewhere.log({ ...toRead, unit: 'other' })).rejects.toThrow('no unit');
    pass(31_000);
    await expect(elsewhere.exec(toRun)).rejects.toThrow('does not answer');
    const { origin } = asked;
    expect(events).toMatchObject([
      { command: { kind: 'exec', unit: 'web', ended: [{ unit: 'web', code: 0 }] }, origin },
      { command: { kind: 'log', unit: 'web' }, origin },
      { command: { kind: 'log', unit: 'other' }, origin, failure: { word: 'invalid' } },
      { command: { kind: 'exec', ended: [] }, origin, failure: { word: 'unavailable' } },
    ]);
    expect(events).toHaveLength(4);
  });

  test('What is asked of the units of another node is refused while that node is silent.', async () => {
    const { elsewhere, pass } = await onNodes();
    pass(31_000);
    await expect(elsewhere.exec(toRun)).rejects.toMatchObject({
      code: 'unavailable',
      message: "The node 'n1' of the service instance does not answer.",
    });
  });
});
