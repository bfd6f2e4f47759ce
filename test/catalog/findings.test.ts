import { nearestOf } from '../../src/catalog/form/did-you-mean.ts';
import { shippedTraits } from '../../src/program/shipped.ts';
import { anOffering, aPlan, guid, linesOf, loaded } from './folder.ts';

/** Where findings stand, what they say was meant, and what templates and hooks come to. */

const file = `id: ${guid(1)}
name: cache
description: A cache
provisioner: maker
credentials:
  host: '{{nod.host}}'
plans:
  - id: ${guid(2)}
    name: small
    description: Not much
    colour: red
  - {id: ${guid(3)}, name: large, description: More, free: maybe}
`;

test('Each finding has the line and column of the key it is about, or of what should hold it.', async () => {
  const { placed } = await loaded({
    'a.yaml': file,
    'b.json': '{\n  "name": "b",\n  "tags": [\n    5\n  ]\n}',
  });
  const places = placed.map((line) => line.split(': ').slice(0, 2).join(' '));
  expect(places).toEqual([
    'a.yaml:6:3 credentials.host',
    'a.yaml:11:5 plans[0].colour',
    `a.yaml:12:${(file.split('\n')[11] ?? '').indexOf('free') + 1} plans[1].free`,
    'b.json:1:1 description',
    'b.json:1:1 id',
    'b.json:1:1 plans',
    'b.json:1:1 provisioner',
    'b.json:4:5 tags[0]',
  ]);
});

test('What was merged in is told where it stands.', async () => {
  const text = `${file.split('plans:')[0]?.replace('{{nod.', '{{node.')}plans:
  - &one { id: ${guid(2)}, name: a, description: a, free: 5 }
  - { <<: *one, id: ${guid(3)}, name: b }
`;
  const { placed } = await loaded({ 'a.yaml': text });
  expect(placed.map((line) => line.split(': ')[0])).toEqual(['a.yaml:8:79', 'a.yaml:8:79']);
});

test.each<[what: string, changes: object, meant: string]>([
  ['a key of the offering', { plan_updatable: true }, 'plan_updateable'],
  ['a key of a plan', { plans: [aPlan({ maintenance: {}, binding_rotateable: true })] }, 'binding_rotatable'],
  ['a key in camel case', { maxInstances: 5 }, 'max_instances'],
  ['a moment', { hooks: { 'check-up': { run: ['x'] } } }, 'check_up'],
  ['a permission', { requires: ['syslog-drain'], syslog_drain_url: 'x' }, 'syslog_drain'],
  ['a provisioner', { provisioner: 'makre' }, 'maker'],
  ['a key of config', { config: { memmory: 5 } }, 'memory'],
  ['a value in config', { config: { mode: 'fats' } }, 'fast'],
  ['a root', { credentials: { a: '{{nodes.host}}' } }, 'node'],
  ['a member', { credentials: { a: '{{instance.naem}}' } }, 'name'],
  ['a secret', { secrets: { password: {} }, credentials: { a: '{{secrets.pasword}}' } }, 'password'],
  [
    'a parameter',
    { parameters: { size: { type: 'integer', default: 1 } }, credentials: { a: '{{params.sise}}' } },
    'size',
  ],
  [
    'what a plan fixes',
    { plans: [aPlan({ with: { memory: 1 } })], credentials: { a: '{{plan.memroy}}' } },
    'memory',
  ],
  ['a filter', { credentials: { a: '{{instance.id | urii}}' } }, 'uri'],
  ['a dependency', { requires_offerings: { cahce: { offering: 'cachee', plan: 'small' } } }, 'cache'],
])('%s that is nearly right is told with what was meant.', async (_what, changes, meant) => {
  const lines = await linesOf(anOffering(changes));
  expect(lines).toContainEqual(expect.stringContaining(`Did you mean '${meant}'?`));
});

test.each<[word: string, nearest: string | undefined]>([
  ['prot', 'port'],
  ['portt', 'port'],
  ['PORT', 'port'],
  ['colour', undefined],
  ['x', undefined],
])('Of port and host, %s is near to %s.', (word, nearest) => {
  expect(nearestOf(word, ['port', 'host'])).toBe(nearest);
});

describe('A template where something else than text is due', () => {
  const shipped = shippedTraits();
  const lineOf = async (provisioner: string, config: object, more: object = {}) => {
    const offering = anOffering({ provisioner, config, credentials: { a: 'b' }, ...more });
    const { lines } = await loaded({ 'a.json': offering }, shipped);
    return lines.filter((line) => line.includes('config.'));
  };
  const process = (changes: object) => ({ ports: ['main'], processes: { a: { run: ['true'], ...changes } } });
  const params = {
    parameters: {
      text: { type: 'string', default: '' },
      list: { type: 'array', default: [] },
      size: { type: 'integer', default: 1 },
    },
  };

  test.each<[what: string, provisioner: string, config: object, path: string]>([
    [
      'a command',
      'process',
      process({ run: 'beanstalkd -l {{node.bind}} -p {{ports.main}}' }),
      'processes.a.run',
    ],
    ['a command that is one expression', 'process', process({ run: '{{params.text}}' }), 'processes.a.run'],
    ['an order', 'process', process({ order: '1{{ports.main}}' }), 'processes.a.order'],
    ['an environment', 'process', process({ env: 'A={{ports.main}}' }), 'processes.a.env'],
    ['an argument', 'process', process({ run: ['x', '{{params.list}}'] }), 'processes.a.run[1]'],
    ['ports', 'process', { ...process({}), ports: 'p{{params.text}}' }, 'ports'],
    ['a limit of connections', 'postgres', { connection_limit: '{{params.size}}0' }, 'connection_limit'],
    ['a quota', 'postgres', { quota_mb: '{{params.size | json}}' }, 'quota_mb'],
    ['extensions', 'postgres', { extensions: '{{params.text}}' }, 'extensions'],
    ['a quota of a directory', 'directory', { quota_mb: '{{params.text}}' }, 'quota_mb'],
    ['roots', 'directory', { roots: '/srv/{{params.text}}' }, 'roots'],
  ])(
    'A template where something else than text is due is an error at load: %s.',
    async (_what, provisioner, config, path) => {
      const lines = await lineOf(provisioner, config, params);
      expect(lines).toContainEqual(
        expect.stringMatching(
          new RegExp(`^a\\.json: config\\.${path.replaceAll(/[[\].]/g, '\\$&')}: The value must`),
        ),
      );
    },
  );

  test.each<[what: string, provisioner: string, config: object]>([
    ['a list', 'postgres', { extensions: '{{params.list}}' }],
    ['a number', 'postgres', { connection_limit: '{{params.size}}' }],
    ['numbers among arguments', 'process', process({ run: ['x', '{{ports.main}}', '{{params.size}}'] })],
    ['text around a number', 'process', process({ env: { A: 'p{{ports.main}}' } })],
  ])(
    'A template where something else than text is due is right when what it comes to is due: %s.',
    async (_what, provisioner, config) => {
      expect(await lineOf(provisioner, config, params)).toEqual([]);
    },
  );
});

describe('A hook', () => {
  const hooked = (content: string) =>
    loaded({
      'a.json': anOffering({ hooks: { init: { run: ['./hooks/x'] } } }),
      'hooks/x': content,
    });

  test.each<[what: string, content: string, line: RegExp]>([
    ['with Windows lines', '#!/bin/sh\r\necho\r\n', /end with CR LF.*LF\.$/],
    ['with Windows lines after the first', '#!/bin/sh\necho\r\n', /end with CR LF.*\(warning\)$/],
    ['without an interpreter', '#!\necho', /names no program/],
    ['with a relative interpreter', '#!sh\n', /by its whole path/],
    [
      'with an interpreter that is not here',
      '#!/opt/nowhere/python9\n',
      /no \/opt\/nowhere\/python9 on this machine.*\(warning\)$/,
    ],
    [
      'with a program for env that is not here',
      '#!/usr/bin/env python-9000\n',
      /no python-9000 on the PATH.*\(warning\)$/,
    ],
    ['with two words for env', '#!/usr/bin/env node --test\n', /env -S/],
  ])('A hook %s is told.', async (_what, content, line) => {
    const { lines } = await hooked(content);
    expect(lines).toEqual([expect.stringMatching(line)]);
    expect(lines[0]).toMatch(/^a\.json: hooks\.init\.run\[0\]: /);
  });

  test.each([['#!/bin/sh\necho\n'], ['#!/usr/bin/env node\n'], ['#!/usr/bin/env -S node --no-warnings\n']])(
    'A hook is right with %j.',
    async (content) => {
      expect((await hooked(content)).lines).toEqual([]);
    },
  );
});
