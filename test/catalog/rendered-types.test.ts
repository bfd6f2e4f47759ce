import { shippedTraits } from '../../src/program/shipped.ts';
import { anOffering, aPlan, guid, loaded } from './folder.ts';

/** What templates come to is held against what is due where they stand, in every place of a file. */

const shipped = shippedTraits();

const parameters = {
  text: { type: 'string', default: '' },
  size: { type: 'integer', default: 1 },
  yes: { type: 'boolean', default: true },
  list: { type: 'array', default: [] },
  thing: { type: 'object', default: {} },
  perhaps: { type: ['string', 'null'], default: null },
};
const settings = { word: 'w', count: 5, names: ['a'], more: { a: 1 }, none: null };

/** All that a plan of an offering can be given, with these changes. */
function offering(changes: object): object {
  return {
    provisioner: 'process',
    requires: ['syslog_drain', 'route_forwarding', 'volume_mount'],
    config: { ports: ['main'], processes: { a: { run: ['true'] } } },
    parameters,
    credentials: { a: 'b' },
    syslog_drain_url: 'syslog://{{node.host}}',
    route_service_url: 'https://{{node.host}}',
    volume_mounts: [mount({})],
    plans: [aPlan({ with: settings })],
    ...changes,
  };
}

const mount = (changes: object, device: object = {}) => ({
  driver: 'd',
  container_dir: '/d',
  mode: 'rw',
  device_type: 'shared',
  device: { volume_id: 'v', ...device },
  ...changes,
});

const place = (text: string) =>
  `^a\\.json: ${text.replaceAll(/[[\].]/g, String.raw`\$&`)}: The value must be `;

/** Lines of errors about this offering, with the place of each in the text. */
async function errorsOf(changes: object, more: Readonly<Record<string, ReturnType<typeof anOffering>>> = {}) {
  const { lines, placed } = await loaded({ 'a.json': anOffering(offering(changes)), ...more }, shipped);
  for (const line of placed) expect(line).toMatch(/^[^:]+:\d+:\d+: /);
  return lines.filter((line) => !line.endsWith('(warning)'));
}

type Where = readonly [path: string, put: (template: string) => object];

const textPlaces: readonly Where[] = [
  ['dashboard', (dashboard) => ({ dashboard })],
  ['plans[0].dashboard', (dashboard) => ({ plans: [aPlan({ with: settings, dashboard })] })],
  ['syslog_drain_url', (url) => ({ syslog_drain_url: url })],
  ['route_service_url', (url) => ({ route_service_url: url })],
  ['endpoints[0].host', (host) => ({ endpoints: [{ host, ports: ['1'] }] })],
  ['endpoints[0].ports[1]', (port) => ({ endpoints: [{ host: 'h', ports: ['1', port] }] })],
  ['endpoints[0].protocol', (protocol) => ({ endpoints: [{ host: 'h', ports: ['1'], protocol }] })],
  ['volume_mounts[0].driver', (driver) => ({ volume_mounts: [mount({ driver })] })],
  ['volume_mounts[0].container_dir', (dir) => ({ volume_mounts: [mount({ container_dir: dir })] })],
  ['volume_mounts[0].mode', (mode) => ({ volume_mounts: [mount({ mode })] })],
  ['volume_mounts[0].device_type', (type) => ({ volume_mounts: [mount({ device_type: type })] })],
  ['volume_mounts[0].device.volume_id', (id) => ({ volume_mounts: [mount({}, { volume_id: id })] })],
  ['instance_metadata.labels.a', (a) => ({ instance_metadata: { labels: { a } } })],
  ['config.processes.a.run[1]', (arg) => processes({ run: ['true', arg] })],
  ['config.processes.a.env.A', (text) => processes({ run: ['true'], env: { A: text } })],
  ['config.files.a', (text) => ({ config: { ports: ['main'], files: { a: text }, ...processOf({}) } })],
];

function processOf(changes: object) {
  return { processes: { a: { run: ['true'], ...changes } } };
}

function processes(changes: object): object {
  return { config: { ports: ['main'], ...processOf(changes) } };
}

const neverText = ['{{params.list}}', '{{params.thing}}', '{{params}}', '{{params.perhaps}}'];
const neverTextFixed = ['{{plan.names}}', '{{plan.more}}', '{{plan.none}}', '{{plan}}'];

describe.each(textPlaces)('Where text is due, at %s,', (path, put) => {
  test.each([...neverText, ...neverTextFixed])(
    'The template %s is an error with its place.',
    async (template) => {
      expect(await errorsOf(put(template))).toContainEqual(expect.stringMatching(place(path)));
    },
  );

  test.each(['{{params.text}}', '{{params.size}}', '{{params.yes}}', '{{params.list | json}}'])(
    'The template %s is right.',
    async (template) => {
      const isAddress = path === 'route_service_url';
      expect(await errorsOf(put(isAddress ? `https://h/${template}` : template))).toEqual([]);
    },
  );
});

test.each<[what: string, changes: object, path: string]>([
  ['a mode', { volume_mounts: [mount({ mode: '{{plan.word}}' })] }, 'volume_mounts[0].mode'],
  [
    'a protocol',
    { endpoints: [{ host: 'h', ports: ['1'], protocol: '{{plan.word}}' }] },
    'endpoints[0].protocol',
  ],
])('What a plan fixes is held against the words that there are: %s.', async (_what, changes, path) => {
  expect(await errorsOf(changes)).toEqual([expect.stringMatching(place(path))]);
});

const draft04 = 'http://json-schema.org/draft-04/schema#';

test.each<[how: string, rule: object]>([
  ['a reference', { $ref: '#/definitions/list' }],
  ['a reference to a reference', { $ref: '#/definitions/same' }],
  ['all of several', { allOf: [{ description: 'x' }, { $ref: '#/definitions/list' }] }],
  ['any of several', { anyOf: [{ type: 'array' }, { type: 'object' }] }],
  ['one of several', { oneOf: [{ type: 'array' }, { type: 'string' }] }],
  ['a choice of values', { enum: ['a', ['b']] }],
])('A parameter may be known to be a list by %s.', async (_how, rule) => {
  const definitions = { list: { type: 'array' }, same: { $ref: '#/definitions/list' } };
  const create = { $schema: draft04, type: 'object', properties: { x: rule }, required: ['x'], definitions };
  const schemas = { service_instance: { create: { parameters: create } } };
  const changes = { parameters: undefined, schemas, dashboard: '{{params.x}}' };
  expect(await errorsOf(changes)).toEqual([expect.stringMatching(place('dashboard'))]);
});

test('A parameter that refers to itself without end, or says nothing of its kind, may be anything.', async () => {
  const definitions = { a: { $ref: '#/definitions/b' }, b: { allOf: [{ $ref: '#/definitions/b' }] } };
  const properties = { x: { description: 'x' }, y: { anyOf: [{ type: 'array' }, {}] } };
  const create = { $schema: draft04, type: 'object', properties, required: ['x', 'y'], definitions };
  const schemas = { service_instance: { create: { parameters: create } } };
  const labels = { x: '{{params.x}}', y: '{{params.y}}' };
  expect(await errorsOf({ parameters: undefined, schemas, instance_metadata: { labels } })).toEqual([]);
});

describe('A provisioner fills only texts: what gives an offering its shape stands as it is,', () => {
  const unfilled = 'No template is filled here: what stands here is the same for every instance.';
  const whole = (changes: object) => ({ config: { ports: ['main'], ...processOf({}), ...changes } });
  test.each<[path: string, changes: object]>([
    ['processes.a', whole({ processes: { a: '{{params.thing}}' } })],
    ['processes.a.run', processes({ run: '{{params.list}}' })],
    ['processes.a.run', processes({ run: '{{plan.names}}' })],
    ['processes.a.env', processes({ env: '{{params.thing}}' })],
    ['processes.a.order', processes({ order: '{{params.size}}' })],
    ['processes.a.order', processes({ order: '{{plan.count}}' })],
    ['processes.a.cwd', processes({ cwd: '{{params.text}}' })],
    ['processes.a.log', processes({ log: '{{plan.word}}.log' })],
    ['processes.a.stop.signal', processes({ stop: { signal: '{{params.text}}' } })],
    ['processes.a.ready', processes({ ready: '{{params.thing}}' })],
    ['ports', whole({ ports: '{{plan.names}}' })],
    ['files', whole({ files: '{{plan.more}}' })],
    ['server', { provisioner: 'postgres', config: { server: '{{params.text}}' } }],
    ['answer', { provisioner: 'echo', config: { answer: '{{params.text}}' } }],
    ['ports[0]', { provisioner: 'command', config: { ports: ['{{plan.word}}'] } }],
  ])('A template that nobody fills: config.%s of %j.', async (path, changes) => {
    const at = `a.json: config.${path}: `;
    const found = (await errorsOf(changes)).filter((line) => line.startsWith(at));
    expect(found).toEqual([expect.stringMatching(/: (?:No template is filled here|The value must)/)]);
    if (found[0]?.includes('No template')) expect(found[0]).toBe(`${at}${unfilled}`);
  });
});

describe('What a needed offering', () => {
  const needed = (changes: object) => ({
    'b.json': anOffering({
      id: guid(11),
      name: 'b',
      provisioner: 'process',
      config: { ports: ['main'], ...processOf({}) },
      plans: [aPlan({ id: guid(12), with: { names: ['a'] } })],
      ...changes,
    }),
  });
  const needs = (parameters?: object) => ({
    requires_offerings: { x: { offering: 'b', plan: 'small', ...(parameters ? { parameters } : {}) } },
  });

  test.each<[what: string, credential: unknown]>([
    ['a list', ['a']],
    ['an object', { a: 1 }],
    ['null', null],
    ['a parameter that is a list', '{{params.list}}'],
    ['what its plan fixes', '{{plan.names}}'],
  ])('A credential of a needed offering is no text: %s.', async (_what, credential) => {
    const other = needed({ parameters, credentials: { a: credential } });
    const dashboardless = { ...needs(), endpoints: [{ host: '{{deps.x.a}}', ports: ['1'] }] };
    expect(await errorsOf(dashboardless, other)).toContainEqual(
      expect.stringMatching(place('endpoints[0].host')),
    );
    const env = { ...needs(), ...processes({ env: { A: '{{deps.x.a}}' } }) };
    expect(await errorsOf(env, other)).toContainEqual(
      expect.stringMatching(place('config.processes.a.env.A')),
    );
  });

  test('A credential of a needed offering is text: a text, a number, a fact.', async () => {
    const credentials = { text: 't', number: 5, port: '{{ports.main}}', fact: '{{node.host}}' };
    const ports = Object.keys(credentials).map((name) => `{{deps.x.${name}}}`);
    expect(
      await errorsOf({ ...needs(), endpoints: [{ host: 'h', ports }] }, needed({ credentials })),
    ).toEqual([]);
  });

  const at = 'a.json: requires_offerings.x.parameters';
  const own = { size: { type: 'integer', minimum: 1, default: 1 }, name: { type: 'string', default: '' } };
  const template = '{{params.size}}';
  test.each<[what: string, given: object, lines: readonly string[]]>([
    [
      'by a name that it does not have, beside a template',
      { sise: 5, name: '{{params.text}}' },
      [`${at}.sise: There is no such key here. Did you mean 'size'? There are: size, name.`],
    ],
    [
      'a template by a name that it does not have',
      { colour: template },
      [`${at}.colour: There is no such key here. There are: size, name.`],
    ],
    [
      'a value that the plan fixes',
      { size: '{{plan.word}}' },
      [`${at}.size: The value must be a whole number.`],
    ],
    [
      'a value beside a template',
      { name: '{{params.text}}', size: 0 },
      [`${at}.size: The value must be at least 1.`],
    ],
    [
      'text where a number is due',
      { size: '{{params.text}}' },
      [`${at}.size: The value must be a whole number. What this template comes to is text.`],
    ],
    [
      'a number where text is due, for a request would be refused as well',
      { name: template },
      [`${at}.name: The value must be a string. This template may come to integer.`],
    ],
  ])('A needed offering does not take: %s.', async (_what, given, lines) => {
    const found = await errorsOf(needs(given), needed({ parameters: own }));
    expect(found.filter((line) => line.startsWith(at))).toEqual(lines);
  });

  test('A needed offering takes values of the right kind.', async () => {
    const given = { size: template, name: 'n-{{params.size}}' };
    expect(await errorsOf(needs(given), needed({ parameters: own }))).toEqual([]);
  });

  test.each<[what: string, changes: object, isRead: boolean]>([
    ['nothing reads them', {}, false],
    ['a template reads them', { credentials: { all: '{{params | json}}' } }, true],
    ['a hook may read them', { hooks: { init: { run: ['true'] } } }, true],
  ])(
    'A needed offering without a schema takes parameters as of a user: %s.',
    async (_what, changes, isRead) => {
      const line = `${at}.a: Nothing in the plan 'small' of 'b' reads a parameter.`;
      expect(await errorsOf(needs({ a: template }), needed(changes))).toEqual(isRead ? [] : [line]);
    },
  );
});
