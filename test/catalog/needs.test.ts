import { basename, join } from 'node:path';
import { loadCatalog } from '../../src/catalog/load.ts';
import { aPlan, guid, loaded, traits, withFolder } from './folder.ts';
import { aRunner } from './runner-rows.ts';

/** The rules for offerings that run programs: ports, executables, hooks, and what one offering needs of another. */

describe('Needs', () => {
  const needing = (name: string, number: number, needs: object, changes: object = {}) =>
    aRunner({
      id: guid(number),
      name,
      plans: [aPlan({ id: guid(number + 50) })],
      requires_offerings: needs,
      ...changes,
    });
  const aRow = { offering: 'b', plan: 'small' };

  test('Needs lead to offerings and plans that there are.', async () => {
    const { lines } = await loaded({
      'a.json': needing('a', 11, {
        x: { offering: 'b', plan: 'small' },
        y: { offering: 'c', plan: 'small' },
        z: { offering: 'b', plan: 'large' },
      }),
      'b.json': needing('b', 12, { x: { offering: 'a' } }),
    });
    expect(lines).toEqual([
      'a.json: requires_offerings.x: The needs go in a circle: a, b, a.',
      "a.json: requires_offerings.y.offering: There is no offering 'c'.",
      "a.json: requires_offerings.z.plan: The offering 'b' has no plan 'large'.",
      'b.json: requires_offerings.x: Give a plan (an instance of its own) or an instance (a shared one).',
      'b.json: requires_offerings.x: The needs go in a circle: b, a, b.',
    ]);
  });

  test('Of one offering only its own file and those of its needs are looked at, by name or id.', async () => {
    const files = {
      'a.json': needing('a', 11, { x: aRow }),
      'b.yaml': `# name: a\n${JSON.stringify(needing('b', 12, { x: { offering: 'c', plan: 'small' } }))}`,
      'c.json': needing('c', 13, {}),
      'other.json': needing('other', 14, { x: { offering: 'unknown', plan: 'small' } }),
      'broken.yaml': 'name: broken\n name: a',
    };
    await withFolder(files, async (directory) => {
      const namesOf = async (only: string) =>
        (await loadCatalog([directory], traits, undefined, only)).catalog?.offerings.map(({ name }) => name);
      expect(await namesOf('a')).toEqual(['a', 'b', 'c']);
      expect(await namesOf(guid(12))).toEqual(['b', 'c']);
      expect(await namesOf('c')).toEqual(['c']);
    });
  });

  test('Of given files only these and those of their needs are looked at, and all is told of each.', async () => {
    const files = {
      'a.json': needing('a', 11, { x: aRow }),
      'b.json': needing('b', 12, {}),
      'other.json': needing('other', 14, { x: { offering: 'unknown', plan: 'small' } }),
      'broken.yaml': 'name: broken\n name: a',
    };
    await withFolder(files, async (directory) => {
      const load = (...names: readonly string[]) =>
        loadCatalog(
          [directory],
          traits,
          undefined,
          names.map((name) => join(directory, name)),
        );
      const good = await load('a.json', 'a.json');
      expect(good.catalog?.offerings.map(({ name }) => name)).toEqual(['a', 'b']);
      const wrong = await load('b.json', 'broken.yaml', 'none.yaml');
      expect(wrong.problems.map(({ file }) => basename(file))).toEqual(['broken.yaml', 'none.yaml']);
    });
  });

  test.each([
    ['is not there', { 'a.json': needing('a', 11, {}) }, 'z'],
    ['needs what is not there', { 'a.json': needing('a', 11, { x: aRow }) }, 'a'],
    ['stands twice', { 'a.json': needing('a', 11, {}), 'b.json': needing('a', 12, {}) }, 'a'],
  ])('All problems are told for one offering that %s.', async (_, files, only) => {
    await withFolder({ ...files, 'broken.json': '{' }, async (directory) => {
      const { catalog, problems } = await loadCatalog([directory], traits, undefined, only);
      expect(catalog).toBeUndefined();
      expect(problems).not.toEqual([]);
    });
  });

  test('Needs may be met from several sides.', async () => {
    const { lines } = await loaded({
      'a.json': needing('a', 11, {
        x: { offering: 'b', plan: 'small' },
        y: { offering: 'c', instance: 'shared' },
      }),
      'b.json': needing('b', 12, {
        x: { offering: 'c', plan: 'small', parameters: { size: '{{plan.size}}' } },
      }),
      'c.json': needing('c', 13, {}),
    });
    expect(lines).toEqual([
      "b.json: requires_offerings.x.parameters.size: {{plan.size}}: The plan 'small' does not set it in with.",
    ]);
  });

  test('Needs are not unknown because their file has a mistake.', async () => {
    const { lines } = await loaded({
      'a.json': needing('a', 11, { x: { offering: 'b', plan: 'small' } }),
      'b.yaml': 'id: [',
    });
    expect(lines).toHaveLength(1);
  });

  test.each<[what: string, needs: object, changes: object, needed: object, lines: readonly string[]]>([
    [
      'are used by credentials that the other one gives',
      { x: aRow },
      { credentials: { a: '{{deps.x.host}}', b: '{{deps.x.nested.port}}', c: '{{deps.x | json}}' } },
      { credentials: { host: 'h', nested: { port: 1 } } },
      [],
    ],
    [
      'are used by names that libraries look for',
      { x: aRow },
      { credentials: { a: '{{deps.x.hostname}}' } },
      { credentials: { host: 'h' }, credentials_type: 'cache' },
      [],
    ],
    [
      'are not used by others',
      { x: aRow },
      { credentials: { a: '{{deps.x.uri}}', b: '{{deps.y.uri}}' }, dashboard: 'https://{{deps.x.host}}' },
      { credentials: { host: 'h' } },
      [
        "credentials.a: {{deps.x.uri}}: The credentials of 'b' hold no such value.",
        "credentials.b: {{deps.y.uri}}: requires_offerings has no 'y'.",
        'dashboard: {{deps.x.host}}: A dashboard with what is known only when the instance is made is told to everybody, so it holds nothing confidential.',
      ],
    ],
    [
      'show no secret of the other one',
      { x: aRow },
      {
        config: {
          processes: { p: { run: ['p', '{{deps.x.host}}', '{{deps.x.uri}}'], env: { A: '{{deps.x.uri}}' } } },
        },
        instance_metadata: { labels: { all: '{{deps.x | json}}' } },
      },
      { secrets: { word: {} }, credentials: { host: 'h', uri: 'x://{{secrets.word}}@h' } },
      [
        "config.processes.p.run[2]: {{deps.x.uri}}: It is a secret of 'b', and this is seen.",
        "instance_metadata.labels.all: {{deps.x | json}}: It is a secret of 'b', and this is seen.",
      ],
    ],
    [
      'are bindable',
      { x: aRow, y: { offering: 'b', instance: 'shared' } },
      {},
      { bindable: false },
      [
        'requires_offerings.x.plan: It is not bindable, and what it gives is known by a binding only.',
        'requires_offerings.y.offering: It is not bindable, and what it gives is known by a binding only.',
      ],
    ],
    [
      'are bindable without an application',
      { x: aRow },
      {},
      { requires_app: true },
      ['requires_offerings.x.plan: It can be bound to an application only.'],
    ],
    [
      'have parameters that the other one takes',
      { x: { ...aRow, parameters: { size: 0 } }, y: aRow, z: { ...aRow, parameters: { size: 5 } } },
      {},
      { parameters: { size: { type: 'integer', minimum: 1 } } },
      [
        'requires_offerings.x.parameters.size: The value must be at least 1.',
        'requires_offerings.y.parameters.size: The key is missing.',
      ],
    ],
    [
      'have no parameters when they are shared',
      { x: { offering: 'b', instance: 'shared', parameters: { size: 1 } } },
      {},
      {},
      ['requires_offerings.x.parameters: A shared instance has its own already.'],
    ],
  ])('Needs: %s.', async (_what, needs, changes, needed, expected) => {
    const { lines } = await loaded({
      'a.json': needing('a', 11, needs, changes),
      'b.json': needing('b', 12, {}, needed),
    });
    expect(lines.map((line) => line.replace(/^a\.json: /, ''))).toEqual(expected);
  });
});
