import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { starterKinds } from '../../src/catalog/starters/starter-files.ts';
import { runProgram } from '../support/run-program.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

const published = readFileSync('docs/offering-file.schema.json', 'utf8');

test('The shipped catalogs are good', async () => {
  const { code, output, errors } = await runProgram(['catalog', 'lint', 'catalog', 'catalog/trial']).ended;
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  expect(output).toMatch(/^The catalog is good: \d+ services, \d+ plans\.$/m);
});

test('Without directories catalog lint looks at CATALOG_DIR', async () => {
  const { code, output } = await runProgram(['catalog', 'lint'], { CATALOG_DIR: '/no/such/place' }).ended;
  expect(code).toBe(1);
  expect(output).toBe('/no/such/place: The directory does not exist.\n');
});

test('The command catalog lint looks at files alone when they are named, and at no others of their directory', async () => {
  const directory = scratchDirectory('lint-files');
  copyFileSync('catalog/trial/timing.yaml', join(directory, 'good.yaml'));
  writeFileSync(join(directory, 'bad.yaml'), 'id: [');
  const lint = (...paths: readonly string[]) => runProgram(['catalog', 'lint', ...paths]).ended;
  const good = await lint(join(directory, 'good.yaml'));
  expect(good).toEqual({
    code: 0,
    output: expect.stringMatching(/^The catalog is good: 1 service, \d+ plans\.$/m),
    errors: '',
  });
  const missing = await lint(join(directory, 'god.yaml'));
  expect(missing).toMatchObject({
    code: 1,
    output: `${join(directory, 'god.yaml')}: The file does not exist.\n`,
  });
  const mixed = await lint(directory, join(directory, 'good.yaml'));
  expect(mixed).toMatchObject({ code: 1, errors: expect.stringContaining('files or directories, not both') });
});

test('Every mistake that catalog lint finds is a line of file, line, column, path and reason, and the exit code is 1', async () => {
  const directory = scratchDirectory('lint');
  const offering = { id: 'a', name: 'a', description: 'a', provisioner: 'nobody', plans: [{ id: 'p' }] };
  writeFileSync(join(directory, 'a.json'), JSON.stringify(offering));
  writeFileSync(join(directory, 'b.yaml'), 'id: [');
  const { code, output } = await runProgram(['catalog', 'lint', directory]).ended;
  expect(code).toBe(1);
  expect(output).toMatch(/\/a\.json:1:\d+: plans\[0\]\.name: The key is missing/);
  expect(output).toMatch(/\/a\.json:1:\d+: provisioner: /);
  expect(output).toMatch(/\/b\.yaml:1:6: /);
  expect(output).not.toContain('The catalog is good');
});

test('With --json catalog lint gives each mistake with its file, line, column, path, reason and level', async () => {
  const directory = scratchDirectory('lint-json');
  writeFileSync(join(directory, 'b.yaml'), 'id: a\nnmae: b\n');
  const { code, output } = await runProgram(['catalog', 'lint', '--json', directory]).ended;
  expect(code).toBe(1);
  const found = JSON.parse(output) as readonly { readonly path: string }[];
  expect(found.find(({ path }) => path === 'nmae')).toEqual({
    file: join(directory, 'b.yaml'),
    line: 2,
    column: 1,
    path: 'nmae',
    reason: expect.stringMatching(/Did you mean 'name'\?/),
    level: 'error',
  });
});

test('With --watch catalog lint judges anew whenever a file changes, and ends with the last judgement at Ctrl-C', async () => {
  const directory = scratchDirectory('lint-watch');
  const file = join(directory, 'a.yaml');
  writeFileSync(file, 'id: a\n');
  const running = runProgram(['catalog', 'lint', '--watch', directory]);
  await running.shows(/a\.yaml:1:1: name: The key is missing/);
  copyFileSync('catalog/trial/timing.yaml', file);
  await running.shows(/^The catalog is good: 1 service, \d+ plans\.$/m);
  running.signal('SIGINT');
  expect(await running.ended).toMatchObject({ code: 0, errors: '' });
});

test('A copy of an offering that there is not is refused with the one that was meant, and what there is', async () => {
  const words = ['catalog', 'new', 'mine', '--from', 'rediss', '--directory', scratchDirectory('none')];
  const { code, errors } = await runProgram(words).ended;
  expect(code).toBe(1);
  expect(errors).toMatch(
    /^purveyor: There is no offering file rediss\.yaml\. Did you mean 'redis'\? There are: beanstalkd, echo, /,
  );
});

describe('catalog render', () => {
  test('The command catalog render shows files, commands and credentials with parameters filled in and secrets masked', async () => {
    const words = ['catalog', 'render', 'redis', 'small', '-p', '{"eviction":"allkeys-lru"}', '--json'];
    const { code, output, errors } = await runProgram(words).ended;
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    const rendered = JSON.parse(output) as { config: { files: Record<string, string> } };
    expect(rendered).toMatchObject({
      offering: 'redis',
      plan: 'small',
      config: {
        processes: { redis: { run: ['redis-server', expect.stringMatching(/^\/.*\/conf\/redis\.conf$/)] } },
      },
      credentials: { host: '127.0.0.1', port: 20_000, password: 'MASKED' },
    });
    expect(rendered.config.files['redis.conf']).toMatch(/^port 20000\n[^]*^maxmemory-policy allkeys-lru$/m);
  });

  test('The command catalog render shows a file as the plan writes it, with TLS only where the plan has it', async () => {
    const { output } = await runProgram(['catalog', 'render', 'redis', 'secure']).ended;
    expect(output).toMatch(/^ {6}tls-port 20000$/m);
    const { output: plain } = await runProgram(['catalog', 'render', 'redis', 'small']).ended;
    expect(plain).not.toContain('tls-port');
  });

  test('The command catalog render leaves what only an instance knows as it stands in the file', async () => {
    const { output } = await runProgram(['catalog', 'render', 'postgres', 'small']).ended;
    expect(output).toMatch(/^ {2}connection_limit: 10$/m);
    expect(output).toContain(
      'uri: postgres://{{db.user}}:MASKED@{{server.host}}:{{server.port}}/{{db.name}}',
    );
  });

  test.each([
    [
      ['redis', 'small', '-p', '{"evict":1}'],
      /^purveyor: There is no parameter 'evict'\. There are: eviction/,
    ],
    [
      ['redis', 'tiny'],
      /^purveyor: There is no plan of redis 'tiny'\. There is: small, durable, secure\.\n$/,
    ],
    [['radish', 'small'], /^purveyor: There is no service offering 'radish'\. There is: /],
  ] as const)('The command catalog render refuses %j with a sentence', async (words, sentence) => {
    const { code, errors } = await runProgram(['catalog', 'render', ...words]).ended;
    expect(code).toBe(1);
    expect(errors).toMatch(sentence);
  });
});

describe('catalog new', () => {
  const directory = scratchDirectory('new');

  test.each(starterKinds)(
    'The command catalog new writes a file for %s that lint finds good and that editors know',
    async (kind) => {
      const name = `my-${kind}`;
      const words = ['catalog', 'new', name, '--provisioner', kind, '--program', 'cat'];
      const { code, output, errors } = await runProgram([...words, '--directory', directory]).ended;
      expect({ code, errors }).toEqual({ code: 0, errors: '' });
      const file = join(directory, `${name}.yaml`);
      expect(output).toContain(`wrote  ${file}\n`);
      const text = readFileSync(file, 'utf8');
      const [, schema = ''] = /^# yaml-language-server: \$schema=(.*)\n/.exec(text) ?? [];
      expect(readFileSync(join(directory, schema), 'utf8')).toBe(published);
      expect(text).not.toMatch(/OFFERING|PLAN-ID|PROGRAM/);
      const lint = await runProgram(['catalog', 'lint', directory]).ended;
      expect(lint.output).toMatch(/^The catalog is good: /);
    },
  );

  test('The command catalog new --from copies an offering with its hooks under new ids', async () => {
    const words = ['catalog', 'new', 'my-redis', '--from', 'redis', '--directory', directory];
    expect((await runProgram(words).ended).code).toBe(0);
    const text = readFileSync(join(directory, 'my-redis.yaml'), 'utf8');
    const before = parse(readFileSync('catalog/redis.yaml', 'utf8')) as { id: string };
    const copied = parse(text) as { id: string; name: string; plans: readonly { id: string }[] };
    expect(copied.name).toBe('my-redis');
    expect(text).not.toContain(before.id);
    expect(new Set([copied.id, ...copied.plans.map(({ id }) => id)]).size).toBe(copied.plans.length + 1);
    expect(text).toContain('./hooks/my-redis/update');
    const again = await runProgram(words).ended;
    expect(again.code).toBe(1);
    expect(again.errors).toMatch(/my-redis\.yaml is there already: --force writes over it\.\n$/);
    expect((await runProgram(['catalog', 'lint', directory]).ended).output).toMatch(/^The catalog is good: /);
  });

  test('The command catalog new refuses a name that platforms would not take', async () => {
    const { code, errors } = await runProgram(['catalog', 'new', 'My_Service']).ended;
    expect(code).toBe(1);
    expect(errors).toMatch(/^purveyor: <name> must be 1 to 50 small letters/);
  });
});

describe('The published schema', () => {
  const judge = new Ajv({ strict: false, allErrors: true }).compile(JSON.parse(published) as object);

  test('The published schema is the one that the program prints', async () => {
    const { output } = await runProgram(['catalog', 'schema']).ended;
    expect(JSON.parse(output)).toEqual(JSON.parse(published));
  });

  const shipped = ['catalog', 'catalog/trial'].flatMap((folder) =>
    readdirSync(folder)
      .filter((file) => file.endsWith('.yaml'))
      .map((file) => join(folder, file)),
  );
  test.each(shipped)('The published schema takes %s', (file) => {
    judge(parse(readFileSync(file, 'utf8'), { merge: true }));
    expect(judge.errors).toBe(null);
  });

  test('The published schema knows what config may hold for each provisioner', () => {
    const redis = parse(readFileSync('catalog/redis.yaml', 'utf8')) as { config: object };
    expect(judge({ ...redis, config: { ...redis.config, portz: ['main'] } })).toBe(false);
    expect(judge({ ...redis, config: { ...redis.config, ports: 'main' } })).toBe(false);
    expect(judge({ ...redis, provisioner: 'proces' })).toBe(false);
  });
});
