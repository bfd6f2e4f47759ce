import { anOffering, aPlan, guid, linesOf, loaded, traits } from './folder.ts';

/** The rules between the parts of a file: what the specification and the platforms demand. */

type Row = readonly [rule: string, changes: object, lines: readonly string[]];

const draft04 = 'http://json-schema.org/draft-04/schema#';

function created(schema: object): object {
  return {
    schemas: {
      service_instance: { create: { parameters: { $schema: draft04, type: 'object', ...schema } } },
    },
  };
}

const at = 'schemas.service_instance.create.parameters';

async function holds(_rule: string, changes: object, lines: readonly string[]): Promise<void> {
  expect(await linesOf(anOffering(changes))).toEqual(lines);
}

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
  ])('%s.', holds);
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
  ])('%s.', holds);

  test('ids of plans and dashboard clients in the whole catalog, names of plans in their offering only.', async () => {
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
  ])('%s.', holds);
});

describe('Parameters', () => {
  test.each<Row>([
    [
      'are described in one way',
      { parameters: {}, schemas: {} },
      ['parameters: There are schemas too: give one of the two.'],
    ],
    ['are described by a plan in its own way', { parameters: {}, plans: [aPlan({ schemas: {} })] }, []],
    [
      'have a default that is allowed',
      { parameters: { size: { type: 'integer', maximum: 3, default: 4 } } },
      ["parameters.size.default: The parameter 'size' must be at most 3."],
    ],
    [
      'have patterns that can be read',
      { parameters: { name: { type: 'string', pattern: '(a' } } },
      [
        'parameters.name.pattern: The pattern is no regular expression: Invalid regular expression: /(a/: Unterminated group.',
      ],
    ],
    [
      'have patterns of any kind, in lists too, and defaults that match them',
      {
        parameters: {
          names: { type: 'array', items: { type: 'string', pattern: '(a)\\1' }, default: ['aa'] },
          label: { type: 'string', pattern: '^(?!-)[a-z-]{0,1024}$', default: 'a-b' },
          path: { type: 'string', pattern: '(?<=/)x', default: 'x' },
        },
      },
      ["parameters.path.default: The parameter 'path' must match the pattern (?<=/)x."],
    ],
    [
      'have one name each',
      { parameters: { 'a b': { type: 'string' } } },
      ['parameters["a b"]: The name must be letters, digits, _ and -, no digit first.'],
    ],
  ])('%s.', holds);

  test.each<Row>([
    [
      'names its draft',
      created({ $schema: undefined }),
      [`${at}.$schema: The schema must name its draft here.`],
    ],
    [
      'names an old draft, which is read as draft 04',
      created({ $schema: 'http://json-schema.org/draft-03/schema#' }),
      [
        `${at}.$schema: This old draft is read as draft-04; name that one, which is understood everywhere. (warning)`,
      ],
    ],
    ['names no draft in particular', created({ $schema: 'http://json-schema.org/schema#' }), []],
    [
      'names a draft that is known',
      created({ $schema: 'http://json-schema.org/draft-12/schema#' }),
      [
        `${at}.$schema: The draft is not known. There are: http://json-schema.org/{draft-04,draft-06,draft-07,draft/2019-09,draft/2020-12}/schema#.`,
      ],
    ],
    [
      'names a draft with http, or Cloud Controller does not know it',
      created({ $schema: 'https://json-schema.org/draft-04/schema' }),
      [
        `${at}.$schema: Cloud Controller refuses a catalog with this name of the draft: it must begin with http://. (warning)`,
      ],
    ],
    [
      'in draft 06 is understood by Cloud Controller',
      created({ $schema: 'http://json-schema.org/draft-06/schema#' }),
      [],
    ],
    [
      'in draft 06 is held against draft 04',
      created({
        $schema: 'http://json-schema.org/draft-06/schema#',
        properties: { a: { exclusiveMinimum: 1 } },
      }),
      [
        `${at}.properties.a.exclusiveMinimum: Cloud Controller reads this as draft-04, and there: The value must be true or false. (warning)`,
        `${at}.properties.a.minimum: Cloud Controller reads this as draft-04, and there: The key is missing. (warning)`,
      ],
    ],
    [
      'in draft 07 is refused by Cloud Controller',
      created({ $schema: 'http://json-schema.org/draft-07/schema#' }),
      [
        `${at}.$schema: Cloud Controller refuses a catalog with this draft; draft-04 is understood everywhere. (warning)`,
      ],
    ],
    [
      'in draft 2020 is refused by Cloud Controller',
      created({ $schema: 'https://json-schema.org/draft/2020-12/schema' }),
      [
        `${at}.$schema: Cloud Controller refuses a catalog with this draft; draft-04 is understood everywhere. (warning)`,
      ],
    ],
    [
      'describes an object',
      created({ type: 'array' }),
      [`${at}: Parameters are an object: the schema should have type: object. (warning)`],
    ],
    [
      'obeys its draft',
      created({ properties: { a: { type: 'text' } } }),
      [`${at}.properties.a.type: The value does not have an allowed form.`],
    ],
    [
      'obeys its draft, draft 04 with an empty required',
      created({ required: [] }),
      [`${at}.required: The value must have at least 1 item.`],
    ],
    [
      'refers to itself alone',
      created({ properties: { a: { $ref: 'https://example.com/a' } } }),
      [`${at}.properties.a.$ref: A reference must stay inside the schema: it starts with #.`],
    ],
    [
      'may have a parameter of the name $ref',
      created({ properties: { $ref: { enum: [{ $ref: 'x' }] } } }),
      [],
    ],
    [
      'refers to what is there',
      created({ properties: { a: { $ref: '#/definitions/b' } } }),
      [`${at}: The schema cannot be used: can't resolve reference #/definitions/b from id #.`],
    ],
    [
      'does not refer in circles',
      created({ allOf: [{ $ref: '#' }] }),
      [`${at}: The schema cannot be used: it refers to itself without end.`],
    ],
    [
      'has patterns that can be read',
      created({ patternProperties: { '^(?!x)': {}, '[a': {} } }),
      [
        `${at}.patternProperties["[a"]: The pattern is no regular expression: Invalid regular expression: /[a/: Unterminated character class.`,
      ],
    ],
    ['is no promise', created({ $async: true }), [`${at}.$async: There is no such keyword.`]],
    [
      'has defaults that are allowed',
      created({
        properties: { a: { $ref: '#/definitions/b', default: 1 } },
        definitions: { b: { type: 'string' } },
      }),
      [`${at}.properties.a.default: The parameter 'a' must be a string.`],
    ],
  ])('A full schema %s.', holds);

  test('A full schema has at most 64 kB.', async () => {
    const fits = created({ description: 'x'.repeat(65_400) });
    const large = created({ description: 'é'.repeat(32_760) });
    expect(await linesOf(anOffering(fits))).toEqual([]);
    expect(await linesOf(anOffering(large))).toEqual([
      expect.stringMatching(/parameters: The schema has 65\d+ bytes of JSON; 65536 are allowed\.$/),
    ]);
  });

  test('A full schema has at most 64 levels.', async () => {
    const deep = Array.from({ length: 40 }).reduce<object>((inner) => ({ items: inner }), {});
    const lines = await linesOf(anOffering(created({ properties: { a: deep } })));
    expect(lines).toEqual([]);
    const deeper = Array.from({ length: 50 }).reduce<object>((inner) => ({ not: { not: inner } }), {});
    expect((await linesOf(anOffering(created({ properties: { a: deeper } })))).join()).toContain(
      'nested more than 64',
    );
  });
});

describe('Templates', () => {
  const secrets = { password: {}, token: { per: 'binding' } };
  test.each<Row>([
    [
      'have the form of one',
      { credentials: { a: '{{', b: '{{node.host | hex}}' } },
      [
        'credentials.a: An expression is {{path}} or {{path | filter}}, nothing else: {{',
        `credentials.b: There is no filter 'hex'; there are uri, json, base64, quoted, sh.`,
      ],
    ],
    [
      'stand in values, not in names',
      { credentials: { '{{node.host}}': 1 } },
      ['credentials["{{node.host}}"]: A name cannot hold a template.'],
    ],
    [
      'use what is known',
      { credentials: { a: '{{server.host}}' } },
      [
        'credentials.a: {{server.host}}: There is no server; there are: params, plan, secrets, instance, binding, broker, node, ports, deps.',
      ],
    ],
    [
      'use all that is known',
      {
        secrets,
        parameters: { size: { type: 'integer', default: 1 } },
        plans: [aPlan({ with: { memory: 1 } })],
        credentials: {
          a: '{{params.size}}',
          b: '{{plan.memory}}',
          c: '{{secrets.password}}',
          d: '{{secrets.token}}',
          e: '{{instance.id}}{{instance.key}}{{instance.name}}{{instance.plan}}',
          f: '{{instance.offering}}{{instance.organization}}{{instance.space}}',
          g: '{{binding.id}}{{binding.key}}{{binding.app}}{{binding.route}}',
          h: '{{broker.url}}',
          i: '{{ports.main}}',
        },
      },
      [],
    ],
    [
      'use words of the instance',
      { dashboard: 'https://{{instance.owner}}' },
      ['dashboard: {{instance.owner}}: There are: id, key, name, plan, offering, organization, space.'],
    ],
    ['use words of the broker', { dashboard: '{{broker}}' }, ['dashboard: {{broker}}: There are: url.']],
    [
      'use secrets that there are',
      { dashboard: 'https://x/{{secrets.word}}', credentials: { a: '{{secrets}}' } },
      [
        'credentials.a: {{secrets}}: There is no such secret.',
        'dashboard: {{secrets.word}}: There is no such secret.',
      ],
    ],
    [
      'use parameters that there are',
      { credentials: { a: '{{params.size}}' } },
      ["credentials.a: {{params.size}}: The plan 'small' declares no such parameter."],
    ],
    [
      'use parameters that always have a value',
      { ...created({ properties: { size: {} } }), credentials: { a: '{{params.size}}' } },
      ['credentials.a: {{params.size}}: The parameter may be missing: require it or give it a default.'],
    ],
    [
      'may use a required parameter',
      { ...created({ properties: { size: {} }, required: ['size'] }), credentials: { a: '{{params.size}}' } },
      [],
    ],
    [
      'write no list into text',
      {
        parameters: { names: { type: 'array' }, word: { type: ['string', 'null'] } },
        credentials: {
          a: 'x{{params.names}}',
          b: '{{params.names}}',
          c: 'x{{params.names | json}}',
          e: '{{params.word}}',
          f: '{{params.word | uri}}',
          d: '{{params | sh}}',
        },
      },
      [
        'credentials.a: {{params.names}}: Only the filter json can write a list, an object or null into text.',
        'credentials.d: {{params | sh}}: Only the filter json can write a list, an object or null into text.',
        'credentials.f: {{params.word | uri}}: Only the filter json can write a list, an object or null into text.',
      ],
    ],
    [
      'look into objects only',
      {
        parameters: { a: { type: 'string' }, b: { type: 'object' } },
        credentials: { a: '{{params.a.x}}', b: '{{params.b.x}}' },
      },
      ['credentials.a: {{params.a.x}}: It has no members.'],
    ],
    [
      'use what every plan sets',
      {
        credentials: { a: '{{plan.memory}}' },
        plans: [aPlan({ with: { memory: 1 } }), aPlan({ id: guid(3), name: 'large' })],
      },
      ["credentials.a: {{plan.memory}}: The plan 'large' does not set it in with."],
    ],
    [
      'keep binding values out of the dashboard',
      { secrets, dashboard: '{{broker.url}}/{{binding.id}}/{{secrets.token}}/{{secrets.password}}' },
      [
        'dashboard: {{binding.id}}: It belongs to one binding, and this place to the instance.',
        'dashboard: {{secrets.token}}: It belongs to one binding, and this place to the instance.',
      ],
    ],
    [
      'keep binding values out of config',
      { secrets, config: { note: '{{secrets.token}}' } },
      ['config.note: {{secrets.token}}: It belongs to one binding, and this place to the instance.'],
    ],
    [
      'keep facts out of the dashboard',
      { dashboard: 'https://{{node.host}}' },
      ['dashboard: {{node.host}}: It is known only when the instance is made, and this is needed before.'],
    ],
    [
      'keep secrets out of instance_metadata',
      { secrets, instance_metadata: { labels: { a: '{{secrets.password}}', b: '{{node.host}}' } } },
      [
        'instance_metadata.labels.a: {{secrets.password}}: A secret cannot be used here, for platforms show this to everybody.',
      ],
    ],
    [
      'keep secrets off command lines',
      {
        secrets,
        config: { run: ['x', '{{secrets.password}}'] },
        hooks: { bind: { run: ['y', '{{secrets.token}}', '{{binding.id}}'] } },
      },
      [
        'config.run[1]: {{secrets.password}}: A secret on a command line is seen by everybody on the machine.',
        'hooks.bind.run[1]: {{secrets.token}}: A secret on a command line is seen by everybody on the machine.',
      ],
    ],
    [
      'keep binding values out of hooks of the instance',
      { hooks: { start: { run: ['y', '{{binding.id}}'] } } },
      ['hooks.start.run[1]: {{binding.id}}: It belongs to one binding, and this place to the instance.'],
    ],
    [
      'use dependencies that there are',
      { credentials: { a: '{{deps.cache.uri}}' } },
      [`credentials.a: {{deps.cache.uri}}: requires_offerings has no 'cache'.`],
    ],
    [
      'of a plan stand in its own words',
      { plans: [aPlan({ credentials: { a: '{{x.y}}' } })] },
      [
        'plans[0].credentials.a: {{x.y}}: There is no x; there are: params, plan, secrets, instance, binding, broker, node, ports, deps.',
      ],
    ],
    [
      'are not checked for facts of a provisioner that nobody knows',
      { provisioner: 'magic', credentials: { a: '{{wand.tip}}{{secrets.x}}' } },
      [
        'credentials.a: {{secrets.x}}: There is no such secret.',
        `provisioner: There is no such provisioner. There are: ${Object.keys(traits).join(', ')}.`,
      ],
    ],
    [
      'are no part of with',
      { plans: [aPlan({ with: { note: '{{params.size}}' } })] },
      ['plans[0].with: The braces {{ stay as they are here: a plan fixes values. (warning)'],
    ],
  ])('%s.', holds);
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
  ])('%s.', holds);
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
  ])('%s.', holds);
});
