import { describeOperation, instancePage, instanceTable } from '../../src/cli/operator/instance-answers.ts';
import type { InstanceAnswer, InstanceDetailsAnswer } from '../../src/protocols/operator/wire/instances.ts';
import type { TimedOperationAnswer } from '../../src/protocols/operator/wire/operations.ts';

const operation: TimedOperationAnswer = {
  id: 'o1',
  kind: 'provision',
  state: 'in progress',
  attempt: 1,
  asked_by: { protocol: 'osb' },
  created_at: '2026-01-01',
  timeline: [],
};
const instance: InstanceDetailsAnswer = {
  key: 'p0',
  id: 'i1',
  offering_id: 'of1',
  plan_id: 'p1',
  stopped: false,
  stopped_units: [],
  updated_at: '2026-01-01',
  offering: 'web',
  plan: 'small',
  state: 'provisioning',
  status: 'building',
  reason: 'it is being made',
  bindings: 0,
  addresses: [],
  units: [],
  drifted: false,
  created_at: '2026-01-01',
  actions: {},
  needed_by: [],
  needs: [],
  bound: [],
  operations: [],
};

test.each<[part: Partial<TimedOperationAnswer>, line: string]>([
  [{}, 'provision in progress'],
  [{ note: 'half' }, 'provision in progress (half)'],
  [{ failures: 1, trouble: 'Error: x' }, 'provision in progress: tried once, last: Error: x'],
  [
    { failures: 6, trouble: 'Error: listen\n\u001b[2J', note: 'half' },
    'provision in progress: tried 6 times, last: Error: listen  [2J (half)',
  ],
  [
    { failure: { word: 'failed', sentence: 'No room.', detail: 'full' }, failures: 2, trouble: 'Error: x' },
    'provision in progress: No room. full Undoing it: tried 2 times, last: Error: x',
  ],
  [{ state: 'failed', failure: { word: 'failed', sentence: 'No room.' } }, 'provision failed: No room.'],
])('Of an operation that is %j the operator reads why', (part, line) => {
  expect(describeOperation({ ...operation, ...part })).toBe(line);
});

test('The page of an instance tells why an operation is tried again, for whom the instance was made and what it needs', () => {
  const page = instancePage({
    ...instance,
    account: '2100000000',
    parent: 'i0',
    needs: ['i2', 'i3'],
    operations: [{ ...operation, failures: 2, trouble: 'Error: x' }],
  });
  expect(page).toMatch(/^account +2100000000$/m);
  expect(page).toMatch(/^made for +i0\nneeds +i2, i3\n/m);
  expect(page).toContain('provision in progress: tried 2 times, last: Error: x');
});

test('The page of an instance shows each binding by what people know of its user, and none where there is none', () => {
  const since = '2026-02-02';
  const bound = [
    { id: 'b1', state: 'bound', context: { app_name: 'shop', space_name: 'dev' }, app_guid: 'guid-1' },
    { id: 'b2', state: 'unbinding', context: { job_name: 'nightly' } },
    { id: 'b3', state: 'bound', context: { space_name: 'dev' }, app_guid: 'guid-3' },
    { id: 'b4', state: 'bound', context: {}, route: 'r.example.com' },
    { id: 'b5', state: 'bound', context: {}, needed_by: 'i9' },
    { id: 'b6', state: 'failed', context: {} },
  ].map((one) => ({ ...one, created_at: since }));
  const lines = instancePage({ ...instance, bound }).split('\n');
  const at = lines.findIndex((line) => line.startsWith('BINDING'));
  expect(lines.slice(at, at + 7).map((line) => line.split(/ {2,}/))).toEqual([
    ['BINDING', 'STATE', 'USED BY', 'SINCE'],
    ['b1', 'bound', 'shop', since],
    ['b2', 'unbinding', 'nightly', since],
    ['b3', 'bound', 'guid-3', since],
    ['b4', 'bound', 'r.example.com', since],
    ['b5', 'bound', 'i9', since],
    ['b6', 'failed', '-', since],
  ]);
  expect(instancePage(instance)).not.toContain('USED BY');
});

test('The page and the table of instances say whose an instance is, by names where there are any', () => {
  const owned = {
    name: 'cache',
    platform: 'cloudfoundry',
    organization: 'acme',
    organization_guid: 'guid-1',
    space_guid: 'guid-2',
    requester: { platform: 'cloudfoundry', value: { user_id: 'guid-3', user_name: 'duke' } },
  };
  const page = instancePage({ ...instance, ...owned });
  expect(page).toMatch(/^name +cache\nplatform +cloudfoundry\norganization +acme \(guid-1\)\n/m);
  expect(page).toMatch(/^space +guid-2\nmade by +duke\n/m);
  const lines = instanceTable([{ ...instance, ...owned }]).split('\n');
  expect(lines[0]).toMatch(/^INSTANCE {2}NAME .* PLATFORM +ORGANIZATION {2}MADE BY$/);
  expect(lines[1]).toMatch(/^i1 +cache .* cloudfoundry +acme +duke$/);
  expect(instanceTable([instance])).not.toMatch(/NAME|PLATFORM|ORGANIZATION|SPACE|MADE BY/);
  expect(instancePage(instance)).not.toMatch(/^(name|platform|organization|space|made by) /m);
});

test('The table of instances has a column for whom an instance was made only where one was made for another', () => {
  expect(instanceTable([instance])).not.toContain('MADE FOR');
  const lines = instanceTable([instance, { ...instance, id: 'i2', parent: 'i1' }]).split('\n');
  expect(lines[0]).toMatch(/BINDINGS {2}MADE FOR$/);
  expect(lines[1]).toMatch(/^i1 .* -$/);
  expect(lines[2]).toMatch(/^i2 .* i1$/);
});

describe('At 80 columns', () => {
  const one = (more: Partial<InstanceAnswer>): InstanceAnswer => ({
    ...instance,
    id: '6f1b0c9e-4a57-4f0e-8a51-9a7d7c3e2b10',
    offering: 'redis',
    plan: 'small',
    state: 'ready',
    status: 'started',
    reason: 'it runs and answers',
    node: 'green',
    bindings: 1,
    addresses: [],
    units: [],
    drifted: false,
    created_at: '2026-01-01T00:00:00.000Z',
    ...more,
  });

  test.each<[what: string, more: Partial<InstanceAnswer>]>([
    ['a GUID', {}],
    [
      'long names',
      { offering: 'elasticsearch', plan: 'extra-large-durable', node: 'ip-10-0-112-34.eu-west-1' },
    ],
    ['long words', { state: 'deprovisioning', status: 'unreachable', drifted: true, parent: 'another' }],
    ['an id of tsuru', { id: `tsuru.elasticsearch.${'a-name-'.repeat(6)}`, offering: 'elasticsearch' }],
  ])('At 80 columns a line with %s fits, and the id is whole.', (_what, more) => {
    const instance = one(more);
    const text = instanceTable([instance, one({ id: 'other' })], 80);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect(text).toContain(instance.id);
    expect(text).toContain(instance.status);
    const wide = instanceTable([instance], Infinity);
    for (const value of [instance.offering, instance.plan, String(instance.node), 'BINDINGS'])
      expect(wide).toContain(value);
  });
});
