import { canonicalJson, type JsonObject } from '../../src/broker/json.ts';
import { revivePlan } from '../../src/catalog/compile.ts';
import { anOffering, aPlan, guid, loaded } from './folder.ts';
import { catalogOf, planOf, rich } from './compiled.ts';

test('An offering is what its file says, and its plans have its words unless they have their own.', async () => {
  const { offerings, loadedAt } = await catalogOf(rich);
  expect(loadedAt).toBeInstanceOf(Date);
  expect(offerings).toMatchObject([
    {
      id: guid(1),
      tags: [],
      permissions: ['volume_mount', 'syslog_drain', 'route_forwarding'],
      bindable: true,
      instancesRetrievable: false,
      bindingsRetrievable: true,
      allowContextUpdates: false,
      planUpdateable: true,
      plans: [
        {
          offeringName: 'cache',
          description: 'Not much',
          free: false,
          bindable: true,
          planUpdateable: true,
          bindingRotatable: true,
          bindingsRetrievable: true,
          maximumPollingDuration: 600,
          maintenanceInfo: { version: '1.2.3', description: 'New' },
          metadata: { displayName: 'Small' },
          making: {
            provisioner: 'maker',
            settings: { memory: 32 },
            defaults: { eviction: 'none' },
            secrets: { password: { per: 'instance', length: 32 }, token: { per: 'binding', length: 40 } },
            asyncRequired: ['provision', 'update', 'deprovision', 'bind', 'unbind'],
            requiresApp: true,
            answer: {
              dashboard: rich.dashboard,
              bindingLifetime: { expiresAfter: 2_592_000, renewBefore: 43_200 },
            },
          },
        },
        {
          free: true,
          bindable: false,
          planUpdateable: false,
          bindingRotatable: false,
          making: {
            defaults: {},
            asyncRequired: ['provision'],
            requiresApp: false,
            answer: {
              dashboard: 'https://own',
              credentials: { own: 'words' },
              instanceMetadata: { labels: {} },
            },
          },
        },
      ],
    },
  ]);
});

test('What process offerings say is in the definition, times in seconds, without what is so by default.', async () => {
  expect((await planOf(rich)).definition['operating']).toEqual({
    cost: 4,
    timeouts: { start: 20, stop: 120 },
    hooks: { configure: { run: ['./hooks/cache/init'], once: true, timeout: 60 } },
    maxInstances: 4,
  });
  expect((await planOf({})).definition['operating']).toEqual({ cost: 1 });
});

describe('Operating', () => {
  const usual = {
    cost: 1,
    executables: [],
    timeouts: {},
    monitor: { every: 10_000, restart: 3, within: 600_000 },
    hooks: {},
    dependencies: {},
    limits: {},
  };

  test('Operating times are in milliseconds, with their defaults.', async () => {
    expect((await planOf({})).operating).toEqual(usual);
    expect((await planOf({ ...rich, monitor: { every: '1m', restart: 0 } })).operating).toEqual({
      ...usual,
      cost: 4,
      timeouts: { start: 20_000, stop: 120_000 },
      monitor: { every: 60_000, restart: 0, within: 600_000 },
      hooks: { configure: { run: ['./hooks/cache/init'], env: {}, once: true, timeout: 60_000 } },
      maxInstances: 4,
    });
  });

  test('How to operate has what hooks and needs say.', async () => {
    const plan = await planOf({
      provisioner: 'runner',
      config: { needs: ['cache-server', '{{plan.tool}}'] },
      hooks: { start: { run: ['x'], env: { HOME: '{{dir.data}}' } } },
      plans: [aPlan({ with: { tool: 'cache-cli' } })],
    });
    expect(plan.operating).toEqual({
      ...usual,
      executables: ['cache-server', 'cache-cli'],
      hooks: { start: { run: ['x'], env: { HOME: '{{dir.data}}' }, once: false } },
    });
    const { catalog } = await loaded({
      'a.json': anOffering({
        requires_offerings: {
          own: { offering: 'other', plan: 'small', parameters: { size: 1 } },
          shared: { offering: 'other', instance: 'i1' },
        },
      }),
      'b.json': anOffering({ id: guid(11), name: 'other', plans: [aPlan({ id: guid(12) })] }),
    });
    expect(catalog?.offerings[0]?.plans[0]?.operating.dependencies).toEqual({
      own: { offering: 'other', plan: 'small', parameters: { size: 1 } },
      shared: { offering: 'other', instance: 'i1', parameters: {} },
    });
  });

  test.each<[what: string, stored: JsonObject | undefined, operating: object]>([
    ['nothing', undefined, {}],
    ['a cost', { cost: 2 }, { cost: 2 }],
    [
      'seconds and all that was known then',
      {
        cost: 1,
        timeouts: { stop: 5 },
        monitor: { every: 10, within: 60 },
        hooks: { bind: { run: ['x'], once: false } },
        requiresOfferings: { a: { offering: 'b', plan: 'c' } },
        maxInstances: 2,
      },
      {
        timeouts: { stop: 5000 },
        monitor: { every: 10_000, restart: 3, within: 60_000 },
        hooks: { bind: { run: ['x'], env: {}, once: false } },
        dependencies: { a: { offering: 'b', plan: 'c', parameters: {} } },
        maxInstances: 2,
      },
    ],
  ])(
    'How to operate is known of a definition of the version before, with %s.',
    async (_what, stored, operating) => {
      const { operating: _now, ...before } = (await planOf({})).definition;
      const definition = stored === undefined ? before : { ...before, operating: stored };
      expect(revivePlan(definition).operating).toEqual({ ...usual, ...operating });
    },
  );
});

const requests: readonly JsonObject[] = [{}, { size: 1 }, { size: 0 }, { eviction: 'x' }];

test('A definition is plain JSON, and the plan that is made of it again is the same.', async () => {
  for (const position of [0, 1]) {
    const plan = await planOf(rich, position);
    const stored = JSON.parse(canonicalJson(plan.definition)) as JsonObject;
    expect(stored).toEqual(plan.definition);
    const revived = revivePlan(stored);
    const {
      check: _check,
      description: _words,
      free: _free,
      metadata: _shown,
      extensions: _published,
      maintenanceInfo,
      ...same
    } = plan;
    expect(revived).toMatchObject(same);
    expect(revived.maintenanceInfo?.version).toBe(maintenanceInfo?.version);
    expect(revived.revision).toMatch(/^[0-9a-f]{64}$/);
    for (const parameters of requests) {
      for (const on of ['provision', 'update', 'bind'] as const) {
        expect(revived.check[on](parameters)).toBe(plan.check[on](parameters));
      }
    }
  }
});

describe('A revision', () => {
  const small = rich.plans[0] ?? {};
  test.each<[what: string, changes: object]>([
    ['descriptions', { description: 'Other words', plans: [{ ...small, description: 'Others' }] }],
    ['tags', { tags: ['new'] }],
    ['display metadata', { metadata: { displayName: 'X' }, plans: [{ ...small, metadata: {} }] }],
    ['what is free', { plans: [{ ...small, free: true }] }],
    ['the dashboard client', { dashboard_client: { id: 'a', secret: 'b', redirect_uri: 'https://c' } }],
    ['the description of a maintenance', { plans: [{ ...small, maintenance_info: { version: '1.2.3' } }] }],
    ['the order of keys', Object.fromEntries(Object.entries(rich).toReversed())],
    [
      'defaults that are spelt out',
      {
        plans: [{ ...small, bindable: true }],
        secrets: { password: { per: 'instance', length: 32 }, token: { length: 40, per: 'binding' } },
        monitor: undefined,
        hooks: { configure: { ...rich.hooks.configure, env: {} } },
      },
    ],
    ['other plans', { plans: [small] }],
  ])('A revision stays when %s change.', async (_what, changes) => {
    expect((await planOf({ ...rich, ...changes })).revision).toBe((await planOf(rich)).revision);
  });

  test.each<[what: string, changes: object]>([
    ['the name of the offering', { name: 'other' }],
    ['the name of the plan', { plans: [{ ...small, name: 'other' }] }],
    ['a flag', { allow_context_updates: true }],
    [
      'requires',
      {
        requires: undefined,
        volume_mounts: undefined,
        syslog_drain_url: undefined,
        route_service_url: undefined,
      },
    ],
    ['the maintenance version', { plans: [{ ...small, maintenance_info: { version: '1.2.4' } }] }],
    ['parameters', { parameters: { ...rich.parameters, size: { type: 'integer' } } }],
    ['with', { plans: [{ ...small, with: { memory: 33 } }] }],
    ['config', { config: {} }],
    ['secrets', { secrets: { ...rich.secrets, third: {} } }],
    ['credentials', { credentials: {} }],
    ['a hook', { hooks: {} }],
    ['what a hook runs', { hooks: { configure: { ...rich.hooks.configure, run: ['other'] } } }],
    ['the environment of a hook', { hooks: { configure: { ...rich.hooks.configure, env: { A: 'b' } } } }],
    ['how often it is watched', { monitor: { every: '11s' } }],
    ['the text of a file', { config: { ...rich.config, note: 'another text' } }],
  ])('A revision changes with %s.', async (_what, changes) => {
    expect((await planOf({ ...rich, ...changes })).revision).not.toBe((await planOf(rich)).revision);
  });
});
