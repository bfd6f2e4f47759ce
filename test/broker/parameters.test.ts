import type { Broker } from '../../src/broker/broker.ts';
import type { ServicePlan } from '../../src/broker/catalog.ts';
import type { JsonObject } from '../../src/broker/json.ts';
import { parameterCheck } from '../../src/catalog/parameters.ts';
import { aPlan, toBind, toProvision, toUpdate } from './fixtures.ts';
import { coreInMemory, scripted } from './core-in-memory.ts';

/** What parameters do an instance and a binding have, and which requests for others are refused? */

const draft04 = 'http://json-schema.org/draft-04/schema#';

interface Rules {
  readonly create?: object;
  readonly update?: object;
  readonly bind?: object;
}

function ruled({ create, update, bind }: Rules, rest: Parameters<typeof aPlan>[0] = {}): ServicePlan {
  const schema = (rules: object | undefined) =>
    rules && ({ $schema: draft04, type: 'object', ...rules } as JsonObject);
  const holder = (rules: object | undefined) =>
    rules ? { parameters: schema(rules) as JsonObject } : ({} as JsonObject);
  return aPlan({
    ...rest,
    schemas: {
      ...(create || update ? { service_instance: { create: holder(create), update: holder(update) } } : {}),
      ...(bind ? { service_binding: { create: holder(bind) } } : {}),
    },
    check: {
      provision: parameterCheck(schema(create)),
      update: parameterCheck(schema(update)),
      bind: parameterCheck(schema(bind)),
    },
  });
}

const byTemplate = { readsParameters: 'by template' } as const;

async function anInstance(plan: ServicePlan, parameters: JsonObject, others: readonly ServicePlan[] = []) {
  const { provisioner, deeds } = scripted({});
  const { broker } = coreInMemory(provisioner, [plan, ...others]).broker();
  await broker.provision(toProvision({ parameters }));
  return { broker, deeds };
}

async function parametersOf(broker: Broker): Promise<JsonObject> {
  return (await broker.instance('i1')).confidential.parameters;
}

const size = { type: 'integer', maximum: 8 };

describe('An update is refused when its request breaks a rule of the update schema', () => {
  test.each<[where: string, update: object, parameters: JsonObject, sentence: string]>([
    [
      'behind a reference',
      { $ref: '#/definitions/r', definitions: { r: { properties: { size } } } },
      { size: 9 },
      'size',
    ],
    ['in allOf', { allOf: [{ properties: { size } }] }, { size: 9 }, 'size'],
    [
      'in anyOf',
      { anyOf: [{ required: ['a'] }, { required: ['b'] }] },
      { c: 1 },
      "'a' is required, or the parameter 'b'",
    ],
    ['in oneOf', { oneOf: [{ required: ['a'] }, { required: ['b'] }] }, { a: 1, b: 2 }, 'a, b'],
    ['in not', { not: { required: ['a', 'b'] } }, { a: 1, b: 1 }, 'a, b'],
    ['of what is required', { required: ['a'] }, { b: 1 }, "'a' is required"],
    ['of what belongs together', { dependencies: { a: ['b'] } }, { a: 1 }, "'b' is required"],
    ['of names', { patternProperties: { '^a': {} }, additionalProperties: false }, { b: 1 }, "'b'"],
    ['of how many', { properties: { a: {} }, minProperties: 2 }, { a: 1 }, 'a'],
  ])(
    'An update is refused when its request breaks a rule of the update schema: %s.',
    async (_where, update, parameters, sentence) => {
      const { broker, deeds } = await anInstance(ruled({ create: {}, update }), {});
      await expect(broker.update(toUpdate({ parameters }))).rejects.toMatchObject({
        code: 'invalid',
        field: 'parameters',
        message: expect.stringContaining(sentence),
      });
      expect(deeds()).toEqual(['provision']);
    },
  );
});

describe('What the instance would become is held against the create schema', () => {
  const create = {
    additionalProperties: false,
    properties: { size, kind: { enum: ['one', 'many'] }, copies: { type: 'integer' } },
    required: ['size'],
    oneOf: [
      { properties: { kind: { enum: ['one'] } }, not: { required: ['copies'] } },
      { properties: { kind: { enum: ['many'] } }, required: ['kind', 'copies'] },
    ],
  };

  test.each<[given: string, rules: Rules]>([
    ['without an update schema', { create }],
    ['with one that allows it', { create, update: { properties: { kind: {} } } }],
  ])('What the instance would become is held against the create schema: %s.', async (_given, rules) => {
    const { broker, deeds } = await anInstance(ruled(rules), { size: 1, kind: 'one' });
    await expect(broker.update(toUpdate({ parameters: { kind: 'many' } }))).rejects.toThrow(/copies/);
    expect(deeds()).toEqual(['provision']);
    await broker.update(toUpdate({ parameters: { kind: 'many', copies: 2 } }));
    expect(await parametersOf(broker)).toEqual({ size: 1, kind: 'many', copies: 2 });
  });

  test('What the instance would become is held against the schema of the plan that it would have: an old value that does not fit is named.', async () => {
    const large = ruled({ create: { properties: { size } } }, { id: 'large' });
    const small = ruled({ create: { properties: { size: { maximum: 4 } }, required: ['zone'] } });
    const { broker } = await anInstance(small, { size: 2, zone: 'a' }, [
      large,
      ruled({ create: { properties: { size: { maximum: 1 } }, required: ['region'] } }, { id: 'tiny' }),
    ]);
    await broker.update(toUpdate({ planId: 'large' }));
    const toTiny = toUpdate({ planId: 'tiny' });
    await expect(broker.update(toTiny)).rejects.toThrow(
      "The parameter 'region' is required. The parameter 'size' must be at most 1. The service instance has its parameters from before",
    );
    await broker.update({ ...toTiny, parameters: { region: 'x', size: 1 } });
    expect(await parametersOf(broker)).toEqual({ size: 1, zone: 'a', region: 'x' });
  });

  test.each<[where: string, target: object]>([
    ['by additionalProperties', { additionalProperties: false, properties: { size } }],
    [
      'behind a reference',
      { $ref: '#/definitions/r', definitions: { r: { additionalProperties: false, properties: { size } } } },
    ],
    [
      'by every alternative',
      { anyOf: [{ additionalProperties: false, properties: { size } }, { maxProperties: 0 }] },
    ],
    [
      'by its name',
      { $schema: 'http://json-schema.org/draft-06/schema#', propertyNames: { enum: ['size'] } },
    ],
    ['by false', { $schema: 'http://json-schema.org/draft-06/schema#', properties: { colour: false } }],
    [
      'by unevaluatedProperties',
      {
        $schema: 'https://json-schema.org/draft/2019-09/schema',
        allOf: [{ properties: { size } }],
        unevaluatedProperties: false,
      },
    ],
  ])(
    'What a new plan does not know (%s) is left behind, and is told when it is asked for.',
    async (_where, target) => {
      const other = ruled({ create: target }, { id: 'other' });
      const { broker } = await anInstance(ruled({ create: {} }), { size: 2, colour: 'red' }, [other]);
      const change = toUpdate({ planId: 'other' });
      await expect(broker.update({ ...change, parameters: { colour: 'red' } })).rejects.toThrow(/colour/);
      await broker.update(change);
      expect(await parametersOf(broker)).toEqual({ size: 2 });
    },
  );

  test('A rename is no matter of parameters.', async () => {
    const { broker, deeds, change } = await aChangingPlan(ruled({ create: {} }), { size: 2 });
    change(ruled({ create: { required: ['zone'] }, update: { required: ['zone'] } }));
    await broker.update(toUpdate({ context: { instance_name: 'new' } }));
    expect(await parametersOf(broker)).toEqual({ size: 2 });
    expect(deeds()).toEqual(['provision']);
  });
});

const offering = {
  id: 'cache',
  name: 'cache',
  description: 'A cache',
  tags: [],
  permissions: [],
  bindable: true,
  instancesRetrievable: true,
  bindingsRetrievable: true,
  allowContextUpdates: true,
  planUpdateable: true,
};

/** An instance whose plan the catalog then has otherwise. */
async function aChangingPlan(before: ServicePlan, parameters: JsonObject) {
  let plan = before;
  const { provisioner, deeds } = scripted({});
  const core = coreInMemory(provisioner);
  const catalog = () => ({ offerings: [{ ...offering, plans: [plan] }], loadedAt: new Date() });
  const { broker } = core.broker({}, { catalog, revive: () => before });
  await core.store.saveRevisions([before]);
  await broker.provision(toProvision({ parameters }));
  const change = (after: ServicePlan) => void (plan = { ...after, revision: 'small-2' });
  return { broker, deeds, change };
}

test('A parameter that left the schema neither blocks an update nor is shown for ever.', async () => {
  const before = ruled({ create: { additionalProperties: false, properties: { size, colour: {} } } });
  const { broker, change } = await aChangingPlan(before, { size: 1, colour: 'red' });
  const maintenanceInfo = { version: '2.0.0' };
  change({ ...ruled({ create: { additionalProperties: false, properties: { size } } }), maintenanceInfo });
  expect(await parametersOf(broker)).toEqual({ size: 1, colour: 'red' });
  await broker.update(toUpdate({ parameters: { size: 2 } }));
  expect(await parametersOf(broker)).toEqual({ size: 2, colour: 'red' });
  await broker.update(toUpdate({ maintenanceVersion: '2.0.0' }));
  expect(await parametersOf(broker)).toEqual({ size: 2 });
});

test('An instance stays what it was made from until an update names the version, also one that it has already.', async () => {
  const maintenanceInfo = { version: '1.0.0' };
  const before = {
    ...ruled({ create: { additionalProperties: false, properties: { size } } }),
    maintenanceInfo,
  };
  const { broker, deeds, change } = await aChangingPlan(before, { size: 1 });
  const after = ruled({ create: { additionalProperties: false, properties: { size, colour: {} } } });
  change({ ...after, maintenanceInfo });
  const revision = async () => (await broker.instance('i1')).revision;
  await broker.update(toUpdate({ parameters: { size: 2 }, planId: 'small' }));
  await broker.update(toUpdate({ context: { instance_name: 'renamed' } }));
  expect([await revision(), deeds()]).toEqual(['small-1', ['provision', 'update']]);
  await expect(broker.update(toUpdate({ parameters: { colour: 'red' } }))).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringMatching(/colour.* upgrade it first\.$/),
  });
  await broker.update(toUpdate({ maintenanceVersion: '1.0.0' }));
  expect([await revision(), deeds().length]).toEqual(['small-2', 3]);
  await broker.update(toUpdate({ maintenanceVersion: '1.0.0' }));
  await broker.update(toUpdate({ parameters: { colour: 'red' } }));
  expect(deeds()).toHaveLength(4);
});

test('A rename reaches the metadata and the dashboard, and nothing is made for it.', async () => {
  const answer = {
    dashboard: 'https://x.example/{{instance.name}}',
    instanceMetadata: { labels: { name: '{{instance.name}}' } },
  };
  const { provisioner, deeds } = scripted({});
  const { broker } = coreInMemory(provisioner, [aPlan({ making: { answer } })]).broker();
  await broker.provision(toProvision({ context: { instance_name: 'old' } }));
  expect((await broker.instance('i1')).metadata).toEqual({ labels: { name: 'old' } });
  await broker.update(toUpdate({ context: { instance_name: 'new' } }));
  expect(await broker.instance('i1')).toMatchObject({
    metadata: { labels: { name: 'new' } },
    confidential: { dashboardUrl: 'https://x.example/new' },
  });
  expect(deeds()).toEqual(['provision']);
});

describe('Where nothing is said of parameters', () => {
  const silent = aPlan();
  const refused = { code: 'invalid', field: 'parameters' };

  async function brokerOf(plan: ServicePlan) {
    const { provisioner } = scripted({}, byTemplate);
    return coreInMemory(provisioner, [plan]).broker().broker;
  }

  test('Parameters that nobody would read are refused, each by its name.', async () => {
    const broker = await brokerOf(silent);
    const parameters = { role: 'x', ['y'.repeat(90)]: 1 };
    await expect(broker.provision(toProvision({ parameters }))).rejects.toMatchObject({
      ...refused,
      message: `There are no parameters 'role', '${'y'.repeat(80)}...'. None is allowed here.`,
    });
    await broker.provision(toProvision());
    for (const change of [
      broker.update(toUpdate({ parameters: { role: 'x' } })),
      broker.bind(toBind({ parameters: { role: 'x' } })),
    ]) {
      await expect(change).rejects.toMatchObject({
        ...refused,
        message: "There is no parameter 'role'. None is allowed here.",
      });
    }
  });

  const hook = { run: ['a'], env: {}, once: false };

  test.each<[reader: string, plan: ServicePlan, can: readonly string[]]>([
    ['a hook of the instance', aPlan({ operating: { hooks: { configure: hook } } }), ['provision', 'update']],
    [
      'a hook of the binding',
      aPlan({ operating: { hooks: { bind: hook } } }),
      ['provision', 'update', 'bind'],
    ],
    ['a template', aPlan({ making: { config: { all: '{{params | json}}' } } }), ['provision', 'update']],
  ])('%s may read any.', async (_reader, plan, can) => {
    const broker = await brokerOf(plan);
    const parameters = { role: 'x' };
    const refusals: string[] = [];
    await broker.provision(toProvision({ parameters })).catch(() => refusals.push('provision'));
    await broker.update(toUpdate({ parameters: { role: 'y' } })).catch(() => refusals.push('update'));
    await broker.bind(toBind({ parameters })).catch(() => refusals.push('bind'));
    expect(['provision', 'update', 'bind'].filter((kind) => !refusals.includes(kind))).toEqual(can);
  });

  test('A rotation does not take over parameters that an older broker has let pass.', async () => {
    const parameters = { role: 'x' };
    const { provisioner } = scripted({}, byTemplate);
    const core = coreInMemory(provisioner, [silent]);
    const { broker } = core.broker();
    const { broker: older } = core.broker({}, { provisioner: () => ({ ...provisioner, traits: lenient }) });
    await older.provision(toProvision());
    await older.bind(toBind({ parameters }));
    expect((await older.binding('i1', 'b1')).confidential.parameters).toEqual(parameters);
    expect((await broker.binding('i1', 'b1')).confidential.parameters).toEqual({});
    await broker.bind(toBind({ bindingId: 'b2', predecessorId: 'b1' }));
    expect((await older.binding('i1', 'b2')).confidential.parameters).toEqual({});
  });
});

const lenient = { config: {}, roots: [], selfContained: false };
