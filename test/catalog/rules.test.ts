import { anOffering, aPlan, guid, loaded } from './folder.ts';
import { type Row, holds } from './rule-rows.ts';

/** The rules between the parts of a file: what the specification and the platforms demand. */

describe('Names, ids and sizes', () => {
  test.each<Row>([
    [
      'an id that is no GUID is advised against',
      { id: 'echo_service' },
      ['id: The id should be a GUID. (warning)'],
    ],
    ['an id that has to stay as it is is not advised against', { id: 'echo_service', keeps_ids: true }, []],
    [
      'a time that Cloud Foundry cannot keep is advised against',
      { plans: [aPlan({ maximum_polling_duration: 59 })] },
      [
        'plans[0].maximum_polling_duration: Cloud Foundry polls every 60 s at most, so with less than that every operation that takes more than a moment fails there, and a new instance is deleted. (warning)',
      ],
    ],
    ['a minute is time enough', { plans: [aPlan({ maximum_polling_duration: 60 })] }, []],
    [
      'an id that needs escaping is advised against',
      { id: 'a/b' },
      [
        'id: The id should be a GUID. (warning)',
        'id: The id should have letters, digits, -, ., _ and ~ only. (warning)',
      ],
    ],
    [
      'a name that people cannot type is advised against',
      { name: 'Echo Service' },
      ['name: The name should have letters, digits, periods and hyphens only. (warning)'],
    ],
    [
      'a name of hyphens is advised against',
      { plans: [aPlan({ name: '--' })] },
      ['plans[0].name: The name should be more than hyphens. (warning)'],
    ],
    [
      'a name longer than Kubernetes takes is advised against',
      { name: 'x'.repeat(64) },
      ['name: Kubernetes takes at most 63 characters here. (warning)'],
    ],
    [
      'a long description is advised against',
      { description: 'x'.repeat(256) },
      ['description: The description should have at most 255 characters. (warning)'],
    ],
    ['tags fill one column', { tags: ['x'.repeat(1024), 'y'.repeat(1024)] }, []],
    [
      'tags do not fill more than one column',
      { tags: ['x'.repeat(1024), 'y'.repeat(1025)] },
      ['tags: All tags together have 2049 characters; 2048 are allowed.'],
    ],
    [
      'maintenance_info does not fill more than its column',
      { plans: [aPlan({ maintenance_info: { version: '1.0.0-rc.1+b', description: 'x'.repeat(2000) } })] },
      ['plans[0].maintenance_info: The JSON has 2043 characters; 2000 are allowed.'],
    ],
  ])('Names, ids and sizes: %s.', holds);
});

describe('What stands once', () => {
  const plan = aPlan();
  test.each<Row>([
    [
      'plan names in an offering',
      { plans: [plan, aPlan({ id: guid(3) })] },
      ['plans[1].name: This name of a plan is taken already: plans[0].name.'],
    ],
    [
      'plan ids',
      { plans: [plan, aPlan({ name: 'large' })] },
      ['plans[1].id: This id of a plan is taken already: plans[0].id.'],
    ],
    ['names that differ in case are two', { plans: [plan, aPlan({ id: guid(3), name: 'Small' })] }, []],
  ])('What stands once: %s.', holds);

  test.each([
    ['without a name', {}],
    ['whose name is an object', { name: {} }],
  ])('A plan %s is told that, and called a plan.', async (_what, name) => {
    const { id, description } = aPlan({});
    const plans = [{ id, description, ...name }];
    const offering = anOffering({ plans, credentials: { a: '{{plan.size}}' } });
    const { lines } = await loaded({ 'nameless.json': offering });
    const text = lines.join('\n');
    expect(text).toMatch(/plans\[0\].*name/);
    expect(text).toContain('The plan does not set it');
    expect(text).not.toMatch(/undefined|\[object/);
  });

  test('Ids of plans and dashboard clients stand once in the whole catalog, names of plans in their offering only.', async () => {
    const client = { id: 'client', secret: 'hidden-word', redirect_uri: 'https://x' };
    const { lines } = await loaded({
      'a.json': anOffering({ dashboard_client: client }),
      'b.json': anOffering({
        id: guid(9),
        name: 'other',
        dashboard_client: client,
        plans: [aPlan(), aPlan({ id: guid(8), name: 'big' })],
      }),
      'c.json': anOffering({ id: guid(7), name: 'third', plans: [aPlan({ id: guid(6) })] }),
    });
    expect(lines).toEqual([
      'b.json: dashboard_client.id: This id of a dashboard client is taken already: a.json: dashboard_client.id.',
      'b.json: plans[0].id: This id of a plan is taken already: a.json: plans[0].id.',
    ]);
  });
});

describe('What a binding gives', () => {
  const mount = {
    driver: 'nfs',
    container_dir: '/x',
    mode: 'rw',
    device_type: 'shared',
    device: { volume_id: '1' },
  };
  test.each<Row>([
    [
      'a bindable plan has credentials',
      { credentials: undefined },
      ["credentials: The plan 'small' is bindable, so it needs credentials."],
    ],
    ['a plan that is not bindable needs none', { credentials: undefined, bindable: false }, []],
    ['a plan says it for itself', { credentials: undefined, plans: [aPlan({ credentials: {} })] }, []],
    [
      'a plan says for itself that it is bindable',
      { credentials: undefined, bindable: false, plans: [aPlan({ bindable: true })] },
      ["credentials: The plan 'small' is bindable, so it needs credentials."],
    ],
    [
      'an offering with requires needs no credentials',
      { credentials: undefined, requires: ['syslog_drain'], syslog_drain_url: 'syslog://x' },
      [],
    ],
    [
      'a drain needs its permission',
      { syslog_drain_url: 'syslog://x' },
      ["syslog_drain_url: This needs 'syslog_drain' in requires."],
    ],
    [
      'a permission needs its drain',
      { requires: ['syslog_drain'] },
      ["requires: 'syslog_drain' promises syslog_drain_url, and the plan 'small' has none."],
    ],
    [
      'a route needs its permission',
      { plans: [aPlan({ route_service_url: 'https://x' })] },
      ["plans[0].route_service_url: This needs 'route_forwarding' in requires."],
    ],
    [
      'a permission needs its route',
      { requires: ['route_forwarding'] },
      ["requires: 'route_forwarding' promises route_service_url, and the plan 'small' has none."],
    ],
    [
      'a mount needs its permission',
      { volume_mounts: [mount] },
      ["volume_mounts: This needs 'volume_mount' in requires."],
    ],
    [
      'a permission needs its mount',
      { requires: ['volume_mount'] },
      ["requires: 'volume_mount' promises volume_mounts, and the plan 'small' has none."],
    ],
    [
      'a permission means nothing to a plan that is not bindable',
      { requires: ['volume_mount'], plans: [aPlan({ bindable: false })] },
      [],
    ],
    [
      'a route by https is right',
      { requires: ['route_forwarding'], route_service_url: 'https://{{node.host}}/x' },
      [],
    ],
    [
      'a route by http is wrong',
      { requires: ['route_forwarding'], route_service_url: 'http://{{node.host}}' },
      ['route_service_url: The address must be https:// and a host.'],
    ],
    [
      'a route without host is wrong',
      { requires: ['route_forwarding'], route_service_url: 'https:///x' },
      ['route_service_url: The address must be https:// and a host.'],
    ],
    [
      'a route that an instance decides is advised against',
      { requires: ['route_forwarding'], route_service_url: '{{broker.url}}/x' },
      ['route_service_url: The address must start with https:// when it is filled in. (warning)'],
    ],
    [
      'a route that the plan fixes is known',
      {
        requires: ['route_forwarding'],
        route_service_url: '{{plan.url}}',
        plans: [aPlan({ with: { url: 'http://x' } })],
      },
      ['route_service_url: The address must be https:// and a host.'],
    ],
    [
      'an asynchronous bind must be fetchable',
      { async: 'required' },
      [
        'async: Without bindings_retrievable: true the credentials of an asynchronous bind can never be fetched.',
      ],
    ],
    [
      'an asynchronous bind of one plan must be fetchable',
      { plans: [aPlan({ async: ['bind'] })] },
      [
        'plans[0].async: Without bindings_retrievable: true the credentials of an asynchronous bind can never be fetched.',
      ],
    ],
    ['an asynchronous bind that is fetchable is right', { async: ['bind'], bindings_retrievable: true }, []],
    ['other asynchronous operations need no fetch', { async: ['provision', 'unbind'] }, []],
    [
      'a binding is renewed before it ends',
      { binding_metadata: { expires_after: '1h', renew_before: '60m' } },
      ['binding_metadata.renew_before: The time must be shorter than expires_after.'],
    ],
    [
      'a binding that is renewed in time is right',
      { binding_metadata: { expires_after: '30d', renew_before: '12h' } },
      [],
    ],
  ])('What a binding gives: %s.', holds);
});

describe('What the provisioner understands', () => {
  const parameters = { size: { type: 'integer', default: 1 } };
  test.each<Row>([
    [
      'config of its form',
      { config: { memory: 0, colour: 1 } },
      [
        'config.colour: There is no such key here. There are: memory, mode, run, note, either.',
        'config.memory: The value must be at least 1.',
      ],
    ],
    [
      'config that the plans fill',
      {
        config: { memory: '{{plan.memory}}' },
        plans: [aPlan({ with: { memory: 5 } }), aPlan({ id: guid(3), name: 'none', with: { memory: 0 } })],
      },
      ['config.memory: The value must be at least 1.'],
    ],
    [
      'config that an instance fills, whatever it will be',
      {
        parameters,
        config: {
          memory: '{{params.size}}',
          mode: '{{params.size}}',
          note: 'a long text with {{params.size}}',
        },
      },
      [],
    ],
    [
      'config with an open value inside an alternative',
      { parameters, config: { either: { a: '{{params.size}}' } } },
      [],
    ],
    [
      'config with an open value inside an alternative that is wrong whatever the value is',
      { parameters, config: { either: { b: '{{params.size}}' } } },
      ['config.either: The value does not have an allowed form.'],
    ],
    [
      'no key that it does not have, whatever its value is',
      { parameters, config: { colour: '{{params.size}}' } },
      ['config.colour: There is no such key here. There are: memory, mode, run, note, either.'],
    ],
    [
      'config that is wrong around an open value',
      { parameters, config: { run: ['x', '{{params.size}}', 5] } },
      ['config.run[2]: The value must be a string. Put it in quotes.'],
    ],
    [
      'with of its form',
      { plans: [aPlan({ with: { memory: 2048 } })] },
      ['plans[0].with.memory: The value must be at most 1024.'],
    ],
  ])('What the provisioner understands: %s.', holds);
});

describe('What the provisioner needs and supports', () => {
  const plain = { provisioner: 'plain', credentials: {} };
  const locked = { provisioner: 'locked', credentials: {} };
  const needs = (name: string, per: string) =>
    `secrets.${name}: The provisioner 'locked' needs the secret '${name}' per ${per}.`;
  const supportsNo = (key: string, at = key) => `${at}: The provisioner 'plain' does not support '${key}'.`;
  const secrets = { token: { per: 'binding' }, admin: {} };
  test.each<Row>([
    ['its secrets, per instance when nothing is said', { ...locked, secrets }, []],
    ['no secret may be missing', locked, [needs('admin', 'instance'), needs('token', 'binding')]],
    [
      'no secret may be of another kind',
      { ...locked, secrets: { token: {}, admin: { per: 'binding' } } },
      [needs('admin', 'instance'), needs('token', 'binding')],
    ],
    ['a key that it supports', { ...locked, secrets, hooks: { start: { run: ['x'] } } }, []],
    [
      'no key that it does not support',
      {
        ...plain,
        hooks: { start: { run: ['x'] } },
        timeouts: { start: '1s' },
        monitor: { every: '1s' },
        requires_offerings: {},
        max_instances: 1,
        plans: [aPlan({ cost: 1 })],
      },
      [
        supportsNo('hooks'),
        supportsNo('max_instances'),
        supportsNo('monitor'),
        supportsNo('cost', 'plans[0].cost'),
        supportsNo('requires_offerings'),
        supportsNo('timeouts'),
      ],
    ],
    [
      'no quota of what costs nothing',
      {
        ...plain,
        quota: { total: { instances: 1, cost: 2 } },
        plans: [aPlan({ quota: { space: { cost: 2 } } })],
      },
      ['plans[0].quota.space.cost', 'quota.total.cost'].map(
        (at) =>
          `${at}: What the provisioner 'plain' makes costs nothing, so this would limit nothing: say instances.`,
      ),
    ],
  ])('What the provisioner needs and supports: %s.', holds);

  const credentials = { uri: 'x' };
  test.each<Row>([
    [
      'what it needs',
      { ...plain, credentials, prove: { run: ['true'], env: { A: '{{credentials.uri}}' } } },
      [],
    ],
    [
      'whether an unbind takes back what it was given',
      { ...plain, credentials, prove: { run: ['true'], revoked: 'no' } },
      ['prove.revoked: The value must be true or false.'],
    ],
    [
      'nothing on the command line',
      { ...plain, credentials, prove: { run: ['true', '{{credentials.uri}}'] } },
      ['prove.run[1]: Everybody can see the arguments of a process: credentials go into `env`.'],
    ],
    [
      'nothing but credentials',
      {
        ...plain,
        credentials,
        prove: { run: ['true'], env: { A: '{{secrets.admin}}', B: '{{credentials.uri' } },
      },
      [
        'prove.env.A: {{secrets.admin}}: Only {{credentials.x}} is known here.',
        expect.stringMatching(/^prove\.env\.B: /) as string,
      ],
    ],
    [
      'as a declaration, and a text is none',
      { ...plain, credentials, prove: 'soon' },
      ['prove: The value must be an object.'],
    ],
    [
      'no path that leads elsewhere, and no file that is not there',
      { ...plain, credentials, prove: { run: ['../elsewhere'] } },
      ["prove.run[0]: The path may not leave the file's own directory."],
    ],
    [
      'no file that is not there',
      { ...plain, credentials, prove: { run: ['./hooks/here/prove'] } },
      ['prove.run[0]: There is no such file beside the offering file.'],
    ],
  ])('What proves a binding is given %s.', holds);
});
