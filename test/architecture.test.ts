import { globSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize } from 'node:path';

/** The shape of the house, read from the imports. */

const root = join(import.meta.dirname, '..');
const files = globSync('src/**/*.ts', { cwd: root }).toSorted();
const sources = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));

interface Rule {
  /** Folders or files of src/ that may be imported, beside the own folder. */
  readonly rooms: readonly string[];
  /** Packages, by name; node: built-ins are always allowed. */
  readonly packages: readonly string[];
}

const rules: readonly (readonly [folder: string, rule: Rule])[] = [
  ['src/system/', { rooms: [], packages: [] }],
  ['src/broker/', { rooms: [], packages: [] }],
  ['src/protocols/osb/', { rooms: ['src/broker/', 'src/protocols/protocol.ts'], packages: ['ajv'] }],
  [
    'src/protocols/tsuru/',
    { rooms: ['src/broker/', 'src/protocols/protocol.ts', 'src/postgres/', 'src/config/'], packages: ['pg'] },
  ],
  [
    'src/protocols/operator/',
    {
      rooms: ['src/broker/', 'src/protocols/protocol.ts', 'src/config/', 'src/program/opening/secrets.ts'],
      packages: ['ajv'],
    },
  ],
  ['src/protocols/', { rooms: ['src/broker/', 'src/protocols/protocol.ts'], packages: ['ajv'] }],
  [
    'src/provisioners/echo/',
    { rooms: ['src/broker/', 'src/protocols/protocol.ts', 'src/postgres/'], packages: ['pg', 'eta'] },
  ],
  ['src/provisioners/postgres/', { rooms: ['src/broker/', 'src/postgres/'], packages: ['pg'] }],
  ['src/provisioners/process/', { rooms: ['src/broker/', 'src/node/', 'src/system/'], packages: [] }],
  ['src/provisioners/command/', { rooms: ['src/broker/', 'src/node/', 'src/system/'], packages: [] }],
  ['src/provisioners/directory/', { rooms: ['src/broker/', 'src/node/', 'src/system/'], packages: [] }],
  ['src/provisioners/index.ts', { rooms: ['src/broker/', 'src/node/', 'src/provisioners/'], packages: [] }],
  ['src/provisioners/', { rooms: ['src/broker/', 'src/system/'], packages: [] }],
  ['src/node/', { rooms: ['src/broker/', 'src/system/'], packages: [] }],
  ['src/stores/postgres/', { rooms: ['src/broker/', 'src/stores/', 'src/postgres/'], packages: ['pg'] }],
  ['src/stores/', { rooms: ['src/broker/'], packages: [] }],
  [
    'src/catalog/',
    { rooms: ['src/broker/'], packages: ['ajv', 'ajv-formats', 'ajv-draft-04', 're2js', 'yaml'] },
  ],
  ['src/database/', { rooms: ['src/postgres/', 'src/system/'], packages: ['pg'] }],
  ['src/postgres/', { rooms: ['src/broker/'], packages: ['pg'] }],
  [
    'src/http/',
    {
      rooms: ['src/protocols/protocol.ts', 'src/broker/exact-number.ts'],
      packages: ['express', 'express-basic-auth'],
    },
  ],
];

/** What every room may use: Node's own way of making directories does not always end; what an error is called. */
const anyRoom = ['src/system/make-directory.ts', 'src/system/error-code.ts'];

interface Import {
  readonly file: string;
  readonly target: string;
  readonly typeOnly: boolean;
}

const imports: readonly Import[] = files.flatMap((file) =>
  [
    ...(sources.get(file) ?? '').matchAll(
      /^(?:import|export)\s(type\s)?[^;]*?from\s'([^']+)';|^import\s'([^']+)';/gm,
    ),
  ].map(([, type, from, bare]) => ({ file, target: from ?? bare ?? '', typeOnly: type !== undefined })),
);

function resolved({ file, target }: Import): string | undefined {
  return target.startsWith('.') ? normalize(join(dirname(file), target)) : undefined;
}

function packageOf(target: string): string {
  return target.startsWith('@') ? target.split('/').slice(0, 2).join('/') : (target.split('/')[0] ?? target);
}

function isBuiltin(target: string): boolean {
  return target.startsWith('node:') || builtinModules.includes(target);
}

function isAllowed(one: Import, folder: string, rule: Rule): boolean {
  const inner = resolved(one);
  if (inner === undefined) return isBuiltin(one.target) || rule.packages.includes(packageOf(one.target));
  return (
    inner.startsWith(folder) || anyRoom.includes(inner) || rule.rooms.some((room) => inner.startsWith(room))
  );
}

function said(one: Import): string {
  return `${one.file} imports ${one.target}`;
}

test('Every folder imports only what its room allows.', () => {
  const wrong = imports.filter((one) => {
    const [folder, rule] = rules.find(([prefix]) => one.file.startsWith(prefix)) ?? [];
    return folder !== undefined && rule !== undefined && !isAllowed(one, folder, rule);
  });
  expect(wrong.map(said)).toEqual([]);
});

test('No protocol, provisioner or store imports its neighbour.', () => {
  const wrong = imports.filter((one) => {
    const own = /^src\/(?:protocols|provisioners|stores)\/[^/]+\//.exec(one.file)?.[0];
    const other = /^src\/(?:protocols|provisioners|stores)\/[^/]+\//.exec(resolved(one) ?? '')?.[0];
    return own !== undefined && other !== undefined && own !== other;
  });
  expect(wrong.map(said)).toEqual([]);
});

test('There is no cycle of imports.', () => {
  const graph = new Map(
    files.map((file) => [file, imports.filter((one) => one.file === file).map(resolved)]),
  );
  const seen = new Map<string, 'open' | 'done'>();
  const cycles: string[] = [];
  function visit(file: string, path: readonly string[]): void {
    if (seen.get(file) === 'done') return;
    if (seen.get(file) === 'open')
      return void cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
    seen.set(file, 'open');
    for (const next of graph.get(file) ?? []) if (next !== undefined) visit(next, [...path, file]);
    seen.set(file, 'done');
  }
  for (const file of files) visit(file, []);
  expect(cycles).toEqual([]);
});

test('Only config.ts reads the environment of the process.', () => {
  const readers = files.filter((file) => /process\.env/.test(sources.get(file) ?? ''));
  expect(readers.filter((file) => file !== 'src/config/config.ts')).toEqual([]);
});

test('Only postgres/connections.ts makes connections to Postgres, so that none is without a listener.', () => {
  const makers = files.filter((file) => /new (?:pg\.)?(?:Pool|Client)\(/.test(sources.get(file) ?? ''));
  expect(makers).toEqual(['src/postgres/connections.ts']);
});

test('Only make-directory.ts makes directories above others: the way of Node never ends in /proc.', () => {
  const makers = files.filter((file) => /mkdir(?:Sync)?\([^;]*recursive:/.test(sources.get(file) ?? ''));
  expect(makers).toEqual([]);
});

test('No file has more than 250 lines.', () => {
  const long = files.filter((file) => (sources.get(file) ?? '').split('\n').length > 251);
  expect(long).toEqual([]);
});

/** Lines of each function declaration, without those of the functions declared inside it. */
function functionsOf(text: string, indent = ''): { name: string; lines: number }[] {
  const pattern = new RegExp(
    `^${indent}(?:export )?(?:async )?function\\*? (\\w+)[\\s\\S]*?\\n${indent}\\}$`,
    'gm',
  );
  return [...text.matchAll(pattern)].flatMap(([whole, name = '']) => {
    const inner = functionsOf(whole, `${indent}  `);
    const nested = inner.reduce((sum, { lines }) => sum + lines, 0);
    return [{ name, lines: whole.split('\n').length - nested }, ...inner];
  });
}

test('No function has more than 50 lines of its own.', () => {
  const long = files.flatMap((file) =>
    functionsOf(sources.get(file) ?? '')
      .filter(({ lines }) => lines > 50)
      .map(({ name, lines }) => `${file} ${name}: ${lines}`),
  );
  expect(long).toEqual([]);
});

test('No folder or file is named after nothing.', () => {
  const vague = /(?:utils?|helpers?|common|types|interfaces|services|controllers|managers)(?:\.ts|\/)/;
  expect(files.filter((file) => vague.test(file))).toEqual([]);
});

test('The project uses named exports only, and no barrels.', () => {
  const wrong = files.filter((file) => /^export default|^export \* from/m.test(sources.get(file) ?? ''));
  expect(wrong).toEqual([]);
});
