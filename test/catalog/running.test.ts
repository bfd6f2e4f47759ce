import { chmod, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { loadCatalog } from '../../src/catalog/load.ts';
import { problemLines } from '../../src/catalog/problem.ts';
import { aPlan, guid, linesOf, loaded, program, traits, withFolder } from './folder.ts';
import { aRunner } from './runner-rows.ts';

/** The rules for offerings that run programs: ports, executables, hooks, and what one offering needs of another. */

type Row = readonly [rule: string, changes: object, lines: readonly string[]];

async function holds(_rule: string, changes: object, lines: readonly string[]): Promise<void> {
  expect(await linesOf(aRunner(changes))).toEqual(lines);
}

describe('Ports', () => {
  const ports = ['main', 'admin'];
  const none = (at: string) => `${at}: There is no such port in config.ports. There are: main, admin.`;
  test.each<Row>([
    [
      'are used under the names that config.ports has',
      {
        config: { ports, processes: { a: { ready: { port: 'main' } } }, bind: [{ port: 'admin' }] },
        credentials: { a: '{{ports.main}}', b: 'x:{{ports.admin}}' },
      },
      [],
    ],
    [
      'have no other name in a template',
      {
        config: { ports, files: { 'a.conf': 'port {{ports.mian}}' } },
        credentials: { a: '{{ports.web}}', b: '{{ports}}', c: '{{ports.main.x}}' },
      },
      [
        'config.files["a.conf"]: {{ports.mian}}: There is no such port in config.ports. There are: main, admin. Did you mean \'main\'?',
        'credentials.a: {{ports.web}}: There is no such port in config.ports. There are: main, admin.',
        'credentials.b: {{ports}}: There is no such port in config.ports. There are: main, admin.',
        'credentials.c: {{ports.main.x}}: There is no such port in config.ports. There are: main, admin.',
      ],
    ],
    [
      'have no other name where processes and bindings say one',
      {
        config: {
          ports,
          processes: {
            a: { ready: { port: 'web' } },
            port: { ready: { port: 'main' }, env: { port: 'any' } },
            c: { ready: { port: 'main', headers: { port: 'any' } } },
          },
          bind: [{ port: 'main' }, { port: 'x' }],
          unbind: [{ port: 'y' }],
        },
      },
      [none('config.bind[1].port'), none('config.processes.a.ready.port'), none('config.unbind[0].port')],
    ],
    [
      'are none when config says nothing of them',
      {
        config: { processes: { a: { ready: { port: 'main' } } } },
        credentials: { port: '{{ports.main}}' },
      },
      [
        'config.processes.a.ready.port: There is no such port: config.ports names none.',
        'credentials.port: {{ports.main}}: There is no such port: config.ports names none.',
      ],
    ],
    [
      'are not judged when config.ports has a form that only the provisioner knows',
      { config: { ports: { main: {} } }, credentials: { port: '{{ports.other}}' } },
      [],
    ],
    [
      'are not judged for a provisioner that has them from elsewhere',
      { provisioner: 'maker', credentials: { port: '{{ports.other}}' } },
      [],
    ],
  ])('Ports of units: %s.', holds);
});

describe('Facts', () => {
  test.each<Row>([
    [
      'have the members that the provisioner tells',
      { credentials: { a: '{{node.hots}}', b: '{{node}}', c: '{{node.host}}', d: '{{dir.etc}}' } },
      [
        "credentials.a: {{node.hots}}: There are: host, bind. Did you mean 'host'?",
        'credentials.b: {{node}}: There are: host, bind.',
        'credentials.d: {{dir.etc}}: There are: conf, data.',
      ],
    ],
    [
      'of bindings are not for what belongs to the instance',
      {
        instance_metadata: { labels: { a: '{{mount.path}}' } },
        credentials: { a: '{{mount.path}}' },
      },
      [
        'instance_metadata.labels.a: {{mount.path}}: It belongs to one binding, and this place to the instance.',
      ],
    ],
    [
      'of hooks need the hook',
      {
        hooks: { configure: { run: ['x'] }, bind: { run: ['y'] } },
        dashboard: 'https://x',
        instance_metadata: { labels: { a: '{{outputs.bind.user}}', b: '{{outputs.configure.user}}' } },
        credentials: { a: '{{outputs.bind.user}}', b: '{{outputs.start.user}}' },
      },
      [
        "credentials.b: {{outputs.start.user}}: hooks has no 'start'.",
        'instance_metadata.labels.a: {{outputs.bind.user}}: It belongs to one binding, and this place to the instance.',
      ],
    ],
    [
      'are the processes of units in the environment of hooks, and nowhere else',
      {
        config: { processes: { server: { run: ['x', '{{pids.server}}'] } } },
        hooks: {
          update: { run: ['x', '{{pids.server}}'], env: { A: '{{pids.server}}', B: '{{pids.sever}}' } },
        },
      },
      [
        'config.processes.server.run[1]: {{pids.server}}: It may be missing at times: only env of hooks, which is without such a variable then, can hold it.',
        "hooks.update.env.B: {{pids.sever}}: There is no such unit in config.processes. There are: server. Did you mean 'server'?",
        'hooks.update.run[1]: {{pids.server}}: It may be missing at times: only env of hooks, which is without such a variable then, can hold it.',
      ],
    ],
  ])('Facts of an instance: %s.', holds);
});

describe('Values of a binding', () => {
  const secrets = { password: { per: 'binding' }, admin: {} };
  test.each<Row>([
    [
      'stand in the parts of config that are for bindings',
      {
        secrets,
        config: {
          ports: ['main'],
          bind: [{ port: 'main', send: 'USER {{binding.key}} {{secrets.password}} {{secrets.admin}}\r\n' }],
          unbind: [{ port: 'main', send: 'DROP {{binding.key}} {{binding.id}}\r\n' }],
        },
      },
      [],
    ],
    [
      'stand in no other part',
      {
        secrets,
        config: {
          files: { bind: '{{secrets.password}}' },
          processes: { bind: { env: { A: '{{binding.id}}', B: '{{secrets.admin}}' } } },
        },
      },
      [
        'config.files.bind: {{secrets.password}}: It belongs to one binding, and this place to the instance.',
        'config.processes.bind.env.A: {{binding.id}}: It belongs to one binding, and this place to the instance.',
      ],
    ],
    [
      'stand in the environment of the hooks bind and unbind',
      {
        secrets,
        hooks: {
          bind: { run: ['x', '{{binding.key}}'], env: { PASSWORD: '{{secrets.password}}' } },
          start: { run: ['x'], env: { PASSWORD: '{{secrets.password}}', ADMIN: '{{secrets.admin}}' } },
        },
      },
      [
        'hooks.start.env.PASSWORD: {{secrets.password}}: It belongs to one binding, and this place to the instance.',
      ],
    ],
  ])('Values of a binding: %s.', holds);
});

describe('Command lines', () => {
  const secrets = { password: {} };
  const seen = 'A secret on a command line is seen by everybody on the machine.';
  test.each<Row>([
    [
      'have no secret, be it of a process or of what asks whether it is ready',
      {
        secrets,
        config: {
          processes: {
            a: {
              run: ['a', '--password={{secrets.password}}'],
              env: { PASSWORD: '{{secrets.password}}' },
              ready: { command: ['ask', '{{secrets.password}}'] },
            },
          },
        },
      },
      [
        `config.processes.a.ready.command[1]: {{secrets.password}}: ${seen}`,
        `config.processes.a.run[1]: {{secrets.password}}: ${seen}`,
      ],
    ],
    [
      'begin with a program that no user chooses',
      {
        parameters: { tool: { type: 'string', default: 'a' } },
        plans: [aPlan({ with: { tool: 'b' } })],
        config: {
          processes: {
            a: { run: ['{{params.tool}}', '{{params.tool}}'], ready: { command: ['{{params.tool}}'] } },
            b: { run: ['{{plan.tool}}'] },
          },
        },
      },
      [
        'config.processes.a.ready.command[0]: {{params.tool}}: A parameter cannot choose the program.',
        'config.processes.a.run[0]: {{params.tool}}: A parameter cannot choose the program.',
      ],
    ],
  ])('Command lines: %s.', holds);
});

describe('Executables', () => {
  test('Executables that an offering needs are known from the file and the plan alone.', async () => {
    const parameters = { tool: { type: 'string', default: 'a' } };
    const plans = [aPlan({ with: { tool: 'b' } })];
    expect(await linesOf(aRunner({ parameters, plans, config: { needs: ['a', '{{plan.tool}}'] } }))).toEqual(
      [],
    );
    expect(
      await linesOf(aRunner({ parameters, plans, config: { needs: ['a', '{{params.tool}}'] } })),
    ).toEqual(['config.needs[1]: {{params.tool}}: Only what the plan fixes can be used here.']);
  });
});

describe('Hooks', () => {
  const outside = "The path may not leave the file's own directory.";
  test.each<Row>([
    [
      'may be programs that are found by their name',
      { hooks: { start: { run: ['cache-server', '/etc/x'] } } },
      [],
    ],
    [
      'are not programs from elsewhere',
      { hooks: { bind: { run: ['./../x'] }, start: { run: ['/bin/sh'] }, stop: { run: ['./..'] } } },
      [`hooks.bind.run[0]: ${outside}`, `hooks.start.run[0]: ${outside}`, `hooks.stop.run[0]: ${outside}`],
    ],
    [
      'are known from the file alone',
      {
        plans: [aPlan({ with: { tool: 'x' } })],
        hooks: { start: { run: ['{{plan.tool}}', '{{plan.tool}}'] } },
      },
      ['hooks.start.run[0]: The program stands here as it is, without a template.'],
    ],
    [
      'are there',
      { hooks: { bind: { run: ['./hooks/cache/bind'] }, stop: { run: ['..hooks/stop'] } } },
      [
        'hooks.bind.run[0]: There is no such file beside the offering file.',
        'hooks.stop.run[0]: There is no such file beside the offering file.',
      ],
    ],
    [
      'have moments that there are',
      { hooks: { begin: { run: ['x'] } }, timeouts: { begin: '1s' } },
      [
        expect.stringMatching(
          /^hooks\.begin: There is no such key here\. There are: init, prepare, /,
        ) as string,
        expect.stringMatching(
          /^timeouts\.begin: There is no such key here\. There are: init, prepare, /,
        ) as string,
      ],
    ],
    [
      'have texts in their environment, under names that programs can read',
      { hooks: { start: { run: ['x'], env: { A: 1, 'B-C': 'x', PURVEYOR_ACTION: 'x', D: '{{x' } } } },
      [
        'hooks.start.env.A: The value must be a string. Put it in quotes.',
        'hooks.start.env.B-C: The name must be letters, digits and _, neither a digit nor PURVEYOR_ first.',
        'hooks.start.env.PURVEYOR_ACTION: The name must be letters, digits and _, neither a digit nor PURVEYOR_ first.',
      ],
    ],
    [
      'have templates in their environment that can be filled',
      { hooks: { start: { run: ['x'], env: { A: '{{x', B: '{{params.size}}', C: '{{node.host}}' } } } },
      [
        'hooks.start.env.A: An expression is {{path}} or {{path | filter}}, nothing else: {{x',
        "hooks.start.env.B: {{params.size}}: The plan 'small' declares no such parameter.",
      ],
    ],
    ['have a limit', { max_instances: 0 }, ['max_instances: The value must be at least 1.']],
  ])('Hooks: %s.', holds);

  test('Hooks are executable files, which may be links.', async () => {
    const hooks = {
      start: { run: ['./hooks/start'] },
      stop: { run: ['hooks/stop'] },
      bind: { run: ['./hooks/bind'] },
      unbind: { run: ['./hooks'] },
      update: { run: ['./hooks/bind/x'] },
      remove: { run: ['./hooks/cache/remove'] },
    };
    const files = {
      'a.json': aRunner({ hooks }),
      'hooks/start': program,
      'hooks/bind': new TextEncoder().encode(program),
    };
    const lines = await withFolder(files, async (directory) => {
      await symlink('start', join(directory, 'hooks/stop'));
      await mkdir(join(directory, 'hooks/cache'));
      await symlink('../start', join(directory, 'hooks/cache/remove'));
      const { problems } = await loadCatalog([directory], traits);
      await chmod(join(directory, 'hooks/bind'), 0o700);
      const { problems: fewer } = await loadCatalog([directory], traits);
      expect(fewer).toHaveLength(problems.length - 1);
      return problemLines(problems).map((line) =>
        line.replaceAll(`${directory}/`, '').replace(/:\d+:\d+: /, ': '),
      );
    });
    expect(lines.toSorted()).toEqual([
      'a.json: hooks.bind.run[0]: The file is not executable.',
      'a.json: hooks.remove.run[0]: The link leads out of its directory.',
      'a.json: hooks.unbind.run[0]: This is not a file.',
      'a.json: hooks.update.run[0]: There is no such file beside the offering file.',
    ]);
  });
});

describe('The revision of a plan', () => {
  const hooks = { bind: { run: ['./hooks/name/bind'] }, unbind: { run: ['./hooks/other'] } };
  const files = {
    'hooks/name/bind': '#!/bin/sh\n',
    'hooks/name/helper.txt': 'a',
    'hooks/other': '#!/bin/sh\n',
  };
  const revisionOf = async (changed: object = {}) =>
    withFolder(
      { 'a.json': { ...aRunner({ name: 'name', hooks }) }, ...files, ...changed },
      async (directory) => {
        const { catalog, problems } = await loadCatalog([directory], traits);
        expect(problemLines(problems.filter(({ level }) => level === 'error'))).toEqual([]);
        return catalog?.offerings[0]?.plans[0]?.revision;
      },
    );

  test.each([
    ['a hook', { 'hooks/name/bind': '#!/bin/sh\ntrue\n' }],
    ['a file beside it', { 'hooks/name/helper.txt': 'b' }],
    ['a new file beside it', { 'hooks/name/more.txt': '' }],
    ['a hook elsewhere', { 'hooks/other': '#!/bin/sh\ntrue\n' }],
  ])('The revision of a plan is another one when what lies in %s is.', async (_what, changed) => {
    expect(await revisionOf(changed)).not.toBe(await revisionOf());
  });

  test('The revision of a plan is the same for the same files, wherever they lie, and whatever else lies there.', async () => {
    expect(await revisionOf({ 'hooks/strange': 'x' })).toBe(await revisionOf());
  });
});

test('An offering file with every mistake of these is told of all at once, and none is served.', async () => {
  const { catalog, lines } = await loaded({
    'good.json': aRunner(),
    'bad.json': aRunner({
      id: guid(21),
      name: 'bad',
      plans: [aPlan({ id: guid(22) })],
      color: 'red',
      secrets: { word: {} },
      config: { ports: ['main'], processes: { a: { run: ['a', '{{secrets.word}}'] } } },
      credentials: { a: '{{ports.web}}', b: '{{node.name}}' },
      requires_offerings: { self: { offering: 'bad', plan: 'small' } },
    }),
    'driver.json': aRunner({
      id: guid(31),
      name: 'third',
      plans: [aPlan({ id: guid(32) })],
      provisioner: 'docker',
    }),
  });
  expect(catalog).toBeUndefined();
  expect(lines).toEqual([
    expect.stringMatching(
      /^bad\.json: color: There is no such key here\. What a vendor adds .* There are: id, /,
    ),
    'bad.json: config.processes.a.run[1]: {{secrets.word}}: A secret on a command line is seen by everybody on the machine.',
    'bad.json: credentials.a: {{ports.web}}: There is no such port in config.ports. There are: main.',
    'bad.json: credentials.b: {{node.name}}: There are: host, bind.',
    'bad.json: requires_offerings.self: The needs go in a circle: bad, bad.',
    `driver.json: provisioner: There is no such provisioner. There are: ${Object.keys(traits).join(', ')}.`,
  ]);
});
