import { execFile } from 'node:child_process';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { loadCatalog } from '../../src/catalog/load.ts';
import { problemLines } from '../../src/catalog/problem.ts';
import { anOffering, aPlan, guid, linesOf, loaded, traits, withFolder } from './folder.ts';

test('A file that is right gives an offering and no line.', async () => {
  const { catalog, lines } = await loaded({ 'a.json': anOffering() });
  expect(lines).toEqual([]);
  expect(catalog?.offerings).toMatchObject([{ name: 'cache', plans: [{ name: 'small' }] }]);
});

test('A file whose name is no text is a problem of the file, whatever else it has.', async () => {
  const wrong = anOffering({ name: { toString: 1 }, prove: { run: ['./hooks/cache/prove'] } });
  const { catalog, lines } = await loaded({ 'a.json': wrong });
  expect([catalog, lines.join('\n')]).toEqual([undefined, expect.stringMatching(/name/)]);
});

test('Top-level yaml, yml and json files of all directories are read, in the order of their names.', async () => {
  const offering = (name: string, at: number) =>
    anOffering({ id: guid(at), name, plans: [aPlan({ id: guid(at + 50) })] });
  await withFolder(
    {
      'b.yaml': offering('b', 11),
      'a.yml': offering('a', 12),
      'notes.txt': 'no offering',
      '.draft.yaml': 'no offering either',
    },
    async (first) => {
      await mkdir(join(first, 'hooks'));
      await withFolder({ 'c.json': offering('c', 13) }, async (second) => {
        await symlink(join(second, 'c.json'), join(first, 'z.json'));
        await withFolder({ 'd.json': offering('d', 14) }, async (third) => {
          const { catalog, problems } = await loadCatalog([first, third], traits);
          expect(problems).toEqual([]);
          expect(catalog?.offerings.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd']);
        });
      });
    },
  );
});

test('A2: All problems of all files are told at once, in order, and nothing is sold.', async () => {
  const { catalog, lines } = await loaded({
    'b.yaml': 'id: x\nid: y\n',
    'c.json': anOffering({ colour: 'red', tags: 7, credentials: { uri: '{{db.user}}' } }),
    'a.json': anOffering({ description: '  ', plans: [aPlan({ free: 'yes' }), 5] }),
  });
  expect(catalog).toBeUndefined();
  expect(lines).toEqual([
    'a.json: description: The value must be text that is not blank.',
    'a.json: plans[0].free: The value must be true or false.',
    'a.json: plans[1]: The value must be an object.',
    'b.yaml: The key stands here for the second time.',
    'c.json: colour: There is no such key here. What a vendor adds stands below extensions. There are: ' +
      lines[4]?.split('There are: ')[1],
    'c.json: credentials.uri: {{db.user}}: There is no db; there are: params, plan, secrets, instance, binding, broker, node, ports, deps.',
    'c.json: id: This id of an offering is taken already: a.json: id.',
    'c.json: name: This name of an offering is taken already: a.json: name.',
    'c.json: plans[0].id: This id of a plan is taken already: a.json: plans[0].id.',
    'c.json: tags: The value must be a list.',
  ]);
});

test('A directory that is missing is an error, an empty one a warning.', async () => {
  const missing = await loadCatalog(['/does/not/exist'], traits);
  expect(missing.catalog).toBeUndefined();
  expect(problemLines(missing.problems)).toEqual(['/does/not/exist: The directory does not exist.']);
  const empty = await loaded({});
  expect(empty.catalog?.offerings).toEqual([]);
  expect(empty.lines).toEqual(['DIR: There is no offering file, so the catalog is empty. (warning)']);
});

describe('A file that cannot be read as an offering', () => {
  const bomb = [
    'a: &a [x, x, x, x, x, x, x, x, x]',
    ...'bcdefgh'.split('').map((name, index) => {
      const before = 'abcdefgh'[index];
      return `${name}: &${name} [${Array.from({ length: 9 }, () => `*${before}`).join(', ')}]`;
    }),
  ].join('\n');

  test.each<[why: string, file: string, content: string | Uint8Array, line: RegExp]>([
    ['is no YAML', 'a.yaml', 'id: [', /^a\.yaml:1:6: Flow sequence .*\.$/],
    [
      'has a key twice',
      'a.yaml',
      'plans:\n  - id: 1\n    id: 2\n',
      /^a\.yaml:3:5: The key stands here for the second time\.$/,
    ],
    [
      'has a key twice in JSON',
      'a.json',
      '{"a": {"b": 1,\n"b": 2}}',
      /^a\.json:2:1: The key stands here for the second time\.$/,
    ],
    [
      'has a number that would be rounded',
      'a.yaml',
      'id: x\nplans:\n  - with: {id: 9007199254740993}\n',
      /^a\.yaml:3:16: The number has more digits than can be kept.*\.$/,
    ],
    [
      'has such a number in JSON',
      'a.json',
      '{"a": 0.1,\n"b": 0.1234567890123456789}',
      /^a\.json:2:6: The number has more digits than can be kept.*\.$/,
    ],
    ['is YAML and is called JSON', 'a.json', 'id: x', /^a\.json:\d+:\d+: The file is not valid JSON\.$/],
    [
      'holds two documents',
      'a.yaml',
      'id: x\n---\nid: y\n',
      /^a\.yaml:\d:1: Source contains multiple documents.*\.$/,
    ],
    ['has an unknown tag', 'a.yaml', 'id: !secret x\n', /^a\.yaml:1:5: Unresolved tag: !secret\.$/],
    [
      'is a list',
      'a.yaml',
      '- id: x\n',
      /^a\.yaml:\d+:\d+: The file must hold one offering, an object with keys such as id, name and plans\.$/,
    ],
    ['is empty', 'a.yaml', '', /^a\.yaml:\d+:\d+: The file must hold one offering/],
    [
      'is not UTF-8',
      'a.yaml',
      new Uint8Array([0x69, 0x64, 0x3a, 0x20, 0xff]),
      /^a\.yaml:\d+:\d+: The file cannot be read: .*utf-8.*\.$/,
    ],
    [
      'holds what JSON cannot',
      'a.yaml',
      'metadata: {x: .nan}\n',
      /^a\.yaml:\d+:\d+: metadata\.x: JSON has no such value\.$/,
    ],
    [
      'holds a date of YAML 1.1',
      'a.yaml',
      '%YAML 1.1\n---\nmetadata: {x: 2001-01-01}\n',
      /^a\.yaml:\d+:\d+: metadata\.x: JSON has no such value\.$/,
    ],
    [
      'is nested deep',
      'a.yaml',
      `config: ${'{a: '.repeat(100)}1${'}'.repeat(100)}\n`,
      /^a\.yaml:\d+:\d+: config(?:\.a)+: The file is nested more than 64 levels deep\.$/,
    ],
    ['holds itself', 'a.yaml', 'config: &x {a: *x}\n', /^a\.yaml:\d+:\d+: /],
    [
      'grows without measure',
      'a.yaml',
      bomb,
      /^a\.yaml:\d+:\d+: The file cannot be read: Excessive alias count/,
    ],
  ])('A file that cannot be read as an offering since it %s is told', async (_why, file, content, line) => {
    const { catalog, placed: lines } = await loaded({ [file]: content });
    expect(catalog).toBeUndefined();
    expect(lines).toEqual([expect.stringMatching(line)]);
  });

  test('A file that cannot be read as an offering is told, and nobody waits for it, when it is a directory or a pipe.', async () => {
    await withFolder({ 'a.json': anOffering() }, async (directory) => {
      await mkdir(join(directory, 'b.yaml'));
      await promisify(execFile)('mkfifo', [join(directory, 'c.yaml')]);
      await symlink(join(directory, 'c.yaml'), join(directory, 'd.json'));
      const { catalog, problems } = await loadCatalog([directory], traits);
      expect(catalog).toBeUndefined();
      expect(problemLines(problems)).toEqual(
        ['b.yaml', 'c.yaml', 'd.json'].map((name) => `${join(directory, name)}: This is not a file.`),
      );
    });
  });

  test.each([
    ['alone', 'id: x\nowner: {{params.owner}}\n', '2:9'],
    ['in a list', 'id: x\nlist: [{{params.owner}}]\n', '2:9'],
    ['with a filter', 'owner: {{params.owner | uri}}\n', '1:9'],
    ['as a list', '? [a, b]\n: 1\n', '1:3'],
    ['by its name', 'a: &x {b: 1}\n*x : 2\n', '2:1'],
  ])(
    'A file that cannot be read as an offering since a key of it is no text is told, and nothing is written: %s',
    async (_how, content, at) => {
      const warnings: unknown[] = [];
      const listen = (warning: unknown) => void warnings.push(warning);
      process.on('warning', listen);
      const { catalog, placed: lines } = await loaded({ 'a.yaml': content });
      await setImmediate();
      process.off('warning', listen);
      expect(catalog).toBeUndefined();
      expect(lines).toEqual([
        `a.yaml:${at}: The key must be a plain value; a text that starts with {{ needs quotes.`,
      ]);
      expect(warnings).toEqual([]);
    },
  );

  test('A file that cannot be read as an offering since text follows a template without quotes is told with the remedy first.', async () => {
    const { placed: lines } = await loaded({ 'a.yaml': 'id: x\nuri: {{broker.url}}/x\n' });
    expect(lines).toEqual([expect.stringMatching(/^a\.yaml:2:7: .* needs quotes\. And \d+ more\.$/)]);
  });

  test('A file that cannot be read as an offering has the first of its many errors told, and how many more there are.', async () => {
    const { placed: lines } = await loaded({ 'a.yaml': `a: 1\n${'a: 2\n'.repeat(300)}` });
    expect(lines).toEqual(['a.yaml:2:1: The key stands here for the second time. And 299 more.']);
  });

  test.each([
    ['a.yaml', 'dashboard_client:\n  secret: hunter2: oops\n', /^a\.yaml:2:11: /],
    [
      'a.json',
      '{"dashboard_client": {\n"secret": "hunter2" "hunter2"}}',
      /^a\.json:2:21: The file is not valid JSON\.$/,
    ],
    [
      'a.json',
      '{"secret": "hunter2',
      /^a\.json:\d+:\d+: (?:line 1, column 20: )?The file is not valid JSON\.$/,
    ],
  ])(
    'A file that cannot be read as an offering does not have its lines repeated, for they may hold a secret: %s',
    async (file, content, line) => {
      const { placed: lines } = await loaded({ [file]: content });
      expect(lines).toEqual([expect.stringMatching(line)]);
      expect(lines.join('')).not.toContain('hunter2');
    },
  );
});

describe('The form of a file is checked', () => {
  test.each<[rule: string, changes: object, line: string]>([
    ['a missing id', { id: undefined }, 'id: The key is missing.'],
    ['a missing provisioner', { provisioner: undefined }, 'provisioner: The key is missing.'],
    ['no plan', { plans: [] }, 'plans: The value must have at least 1 item.'],
    ['a blank name', { name: ' ' }, 'name: The value must be text that is not blank.'],
    ['a long id', { id: 'x'.repeat(256) }, 'id: The value must have at most 255 characters.'],
    [
      'a long description',
      { description: 'x'.repeat(10_001) },
      'description: The value must have at most 10000 characters.',
    ],
    [
      'a number as a version',
      { plans: [aPlan({ maintenance_info: { version: 1 } })] },
      'plans[0].maintenance_info.version: The value must be a string. Put it in quotes.',
    ],
    [
      'no semantic version',
      { plans: [aPlan({ maintenance_info: { version: '1.0' } })] },
      'plans[0].maintenance_info.version: The value must be a semantic version such as 1.2.3.',
    ],
    [
      'another key in maintenance_info',
      { plans: [aPlan({ maintenance_info: { version: '1.0.0', by: 'me' } })] },
      'plans[0].maintenance_info.by: There is no such key here. There are: version, description.',
    ],
    [
      'an unknown permission',
      { requires: ['root'] },
      'requires[0]: The value must be one of syslog_drain, route_forwarding, volume_mount.',
    ],
    [
      'a documentationUrl that is no text',
      { metadata: { documentationUrl: 5 } },
      'metadata.documentationUrl: The value must be a string. Put it in quotes. (warning)',
    ],
    [
      'a shareable that is not yes or no',
      { metadata: { shareable: 'yes' } },
      'metadata.shareable: The value must be true or false. Cloud Controller refuses the catalog. (warning)',
    ],
    [
      'a dashboard_client without redirect_uri',
      { dashboard_client: { id: 'a', secret: 'b' } },
      'dashboard_client.redirect_uri: The key is missing.',
    ],
    [
      'a polling duration in parts of a second',
      { plans: [aPlan({ maximum_polling_duration: 1.5 })] },
      'plans[0].maximum_polling_duration: The value must be a whole number.',
    ],
    [
      'a time without unit',
      { binding_metadata: { expires_after: '30' } },
      'binding_metadata.expires_after: The value must be a duration such as 90s, 10m, 12h or 30d.',
    ],
    [
      'an async that is neither',
      { async: 'sometimes' },
      'async: The value must be required, or a list of provision, update, deprovision, bind and unbind.',
    ],
    [
      'an async of an unknown operation',
      { async: ['fetch'] },
      'async: The value must be required, or a list of provision, update, deprovision, bind and unbind.',
    ],
    [
      'a short secret',
      { secrets: { token: { length: 4 } } },
      'secrets.token.length: The value must be at least 8.',
    ],
    [
      'a secret with an odd name',
      { secrets: { 'a.b': {} } },
      'secrets["a.b"]: The name must be letters, digits, _ and -, no digit first.',
    ],
    [
      'a keyword that drafts read differently',
      { parameters: { size: { type: 'integer', exclusiveMinimum: 1 } } },
      'parameters.size.exclusiveMinimum: There is no such key here. There are: type, enum, default, description, minimum, maximum, pattern, minLength, maxLength, items, minItems, maxItems.',
    ],
    ['a parameter without type', { parameters: { size: {} } }, 'parameters.size.type: The key is missing.'],
    [
      'an unknown type',
      { parameters: { size: { type: 'text' } } },
      'parameters.size.type: The value must be the name of a type, or a list of such names.',
    ],
    [
      'an endpoint with a number as port',
      { endpoints: [{ host: 'h', ports: [80] }] },
      'endpoints[0].ports[0]: The value must be a string. Put it in quotes.',
    ],
    [
      'a volume mode that is none',
      {
        requires: ['volume_mount'],
        volume_mounts: [
          {
            driver: 'nfs',
            container_dir: '/x',
            mode: 'w',
            device_type: 'shared',
            device: { volume_id: '1' },
          },
        ],
      },
      'volume_mounts[0].mode: The value must be r or rw.',
    ],
    [
      'an unknown hook',
      { hooks: { explode: { run: ['x'] } } },
      'hooks.explode: There is no such key here. There are: init, prepare, configure, check_up, start, once_ready, stop, halt, monitor, bind, unbind, update, remove, backup, restore, action.',
    ],
    [
      'what comes once by itself',
      { hooks: { once_ready: { run: ['x'], once: false } } },
      'hooks.once_ready.once: There is no such key here. There are: run, env, timeout.',
    ],
    [
      'a schema outside its place',
      { schemas: { create: {} } },
      'schemas.create: There is no such key here. There are: service_instance, service_binding. (warning)',
    ],
  ])('The form of a file is checked: %s', async (_rule, changes, line) => {
    expect(await linesOf(anOffering(changes))).toEqual([line]);
  });
});
