import { globSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize } from 'node:path';

/** The shape of the house, read from the imports; docs/architecture.md says what each room is for. */

const root = join(import.meta.dirname, '..');
const sources = new Map(
  globSync(['src/**/*.ts', 'test/**/*.ts'], { cwd: root })
    .toSorted()
    .map((file) => [file, readFileSync(join(root, file), 'utf8')]),
);
const files = [...sources.keys()].filter((file) => file.startsWith('src/'));
const testFiles = [...sources.keys()].filter((file) => file.startsWith('test/'));

/** The rooms, lowest first: each may import those before it, so no arrow runs back up. */
const order = [
  'system',
  'broker',
  'postgres',
  'stores',
  'database',
  'config',
  'node',
  'catalog',
  'protocols',
  'provisioners',
  'http',
  'telemetry',
  'program',
  'cli',
  'main.ts',
] as const;

interface Rule {
  /** Folders or files of src/ that may be imported, beside the own folder. */
  readonly rooms: readonly string[];
  /** Packages, by name; node: built-ins are always allowed. */
  readonly packages: readonly string[];
}

/** Every room reads the codes of errors, and makes directories, in one way (decision 42). */
const anyRoom = ['system/error-code.ts', 'system/make-directory.ts'];

/** What several protocols need. */
const betweenProtocols = [
  'protocols/protocol.ts',
  'protocols/page.ts',
  'protocols/events.ts',
  'protocols/fields.ts',
  'protocols/refused-certificate.ts',
];

/** A row for every room; the first that fits a file counts. */
const rules: readonly (readonly [folder: string, rule: Rule])[] = [
  ['system/', { rooms: [], packages: [] }],
  ['broker/', { rooms: [], packages: [] }],
  ['postgres/', { rooms: ['broker/'], packages: ['pg', '@opentelemetry/api'] }],
  ['stores/postgres/', { rooms: ['broker/', 'postgres/', 'stores/'], packages: ['pg'] }],
  ['stores/backups/', { rooms: ['broker/', 'stores/'], packages: ['s3mini'] }],
  ['stores/', { rooms: ['broker/'], packages: [] }],
  ['database/', { rooms: ['system/', 'postgres/'], packages: ['pg'] }],
  ['config/', { rooms: ['broker/', 'database/', 'stores/keyring.ts'], packages: [] }],
  ['node/', { rooms: ['broker/', 'system/'], packages: [] }],
  ['catalog/', { rooms: ['broker/'], packages: ['ajv', 'ajv-formats', 'ajv-draft-04', 're2js', 'yaml'] }],
  ['protocols/osb/', { rooms: ['broker/', ...betweenProtocols], packages: ['ajv'] }],
  [
    'protocols/tsuru/',
    {
      rooms: ['broker/', 'postgres/', 'config/', ...betweenProtocols],
      packages: ['pg'],
    },
  ],
  ['protocols/pages/', { rooms: ['broker/', 'protocols/operator/', ...betweenProtocols], packages: ['eta'] }],
  [
    'protocols/dashboard/',
    // The client of OpenID Connect, and why it, is in decision 115.
    { rooms: ['broker/', 'config/', 'protocols/pages/', ...betweenProtocols], packages: ['openid-client'] },
  ],
  ['protocols/', { rooms: ['broker/', ...betweenProtocols], packages: ['ajv'] }],
  [
    'provisioners/echo/',
    {
      rooms: ['broker/', 'postgres/', 'protocols/protocol.ts', 'protocols/page.ts'],
      packages: ['pg', 'eta'],
    },
  ],
  ['provisioners/faulty/', { rooms: ['broker/', 'postgres/', 'system/'], packages: ['pg'] }],
  ['provisioners/postgres/', { rooms: ['broker/', 'postgres/', 'system/', 'config/'], packages: ['pg'] }],
  [
    'provisioners/kubernetes/',
    // Kubeconfigs are YAML; commands in pods are run over WebSocket (decision 93).
    { rooms: ['broker/', 'node/', 'system/', 'config/', 'postgres/'], packages: ['yaml', 'ws', 'pg'] },
  ],
  ['provisioners/index.ts', { rooms: ['broker/', 'node/', 'provisioners/'], packages: [] }],
  ['provisioners/', { rooms: ['broker/', 'node/', 'system/'], packages: [] }],
  [
    'http/',
    {
      rooms: ['protocols/protocol.ts', 'broker/json.ts'],
      packages: ['express', 'express-basic-auth'],
    },
  ],
  [
    'telemetry/',
    {
      rooms: ['broker/', 'system/', 'http/access-log.ts', 'config/'],
      packages: ['winston', 'prom-client', '@opentelemetry/api'],
    },
  ],
  [
    'program/authority/',
    { rooms: ['broker/', 'postgres/', 'stores/'], packages: ['@peculiar/x509', 'reflect-metadata', 'pg'] },
  ],
  ['program/principals/', { rooms: [''], packages: ['jose'] }],
  ['program/', { rooms: [''], packages: ['pg'] }],
  ['cli/', { rooms: [''], packages: ['commander', 'pg'] }],
  ['main.ts', { rooms: ['cli/', 'system/'], packages: [] }],
];

/** Of the inner rooms of the core, which may import which. */
const innerRooms: Readonly<Record<string, readonly string[]>> = {
  operations: [],
  requests: ['operations'],
  dependencies: ['requests', 'operations'],
  units: ['requests', 'operations'],
  backups: ['requests', 'operations'],
  repair: ['backups', 'dependencies', 'requests', 'operations'],
};

interface Import {
  readonly file: string;
  readonly target: string;
}

const imports: readonly Import[] = [...sources].flatMap(([file, text]) =>
  [
    ...text.matchAll(
      /^(?:import|export)\s(?:type\s)?[^;]*?from\s'([^']+)';|^import\s'([^']+)';|\bimport\('([^']+)'\)/gm,
    ),
  ].map(([, from, bare, lazy]) => ({ file, target: from ?? bare ?? lazy ?? '' })),
);
const ownImports = imports.filter(({ file }) => file.startsWith('src/'));

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
  return [folder, ...anyRoom, ...rule.rooms].some((room) => inner.startsWith(`src/${room}`));
}

function said(one: Import): string {
  return `${one.file} imports ${one.target}`;
}

function roomOf(file: string): string {
  return file.split('/')[1] ?? '';
}

test('src/ has 15 rooms or fewer, and every file is in one of them.', () => {
  const rooms = new Set(files.map(roomOf));
  expect([...rooms].filter((room) => !order.some((known) => known === room))).toEqual([]);
  expect(rooms.size).toBeLessThanOrEqual(15);
});

test('Every room has a row in the table of who may import what.', () => {
  const without = files.filter((file) => !rules.some(([prefix]) => file.startsWith(`src/${prefix}`)));
  expect(without).toEqual([]);
});

test('Every file imports only what its room allows.', () => {
  const wrong = ownImports.filter((one) => {
    const [folder, rule] = rules.find(([prefix]) => one.file.startsWith(`src/${prefix}`)) ?? [];
    return folder !== undefined && rule !== undefined && !isAllowed(one, folder, rule);
  });
  expect(wrong.map(said)).toEqual([]);
});

test('No room imports one above it.', () => {
  const places: readonly string[] = order;
  const wrong = ownImports.filter((one) => {
    const target = resolved(one);
    return target !== undefined && places.indexOf(roomOf(target)) > places.indexOf(roomOf(one.file));
  });
  expect(wrong.map(said)).toEqual([]);
});

test('Only broker/ itself imports its inner rooms, but that of the offices, which says what operators ask.', () => {
  const wrong = ownImports.filter(
    (one) =>
      !one.file.startsWith('src/broker/') && /^src\/broker\/(?!offices\/)[^/]+\//.test(resolved(one) ?? ''),
  );
  expect(wrong.map(said)).toEqual([]);
});

test('The inner rooms of broker/ stand in one order: operations, requests, then dependencies, units and repair.', () => {
  const innerOf = (file: string) => /^src\/broker\/([^/]+)\//.exec(file)?.[1];
  const wrong = ownImports.filter((one) => {
    const [own, other] = [innerOf(one.file), innerOf(resolved(one) ?? '')];
    return own !== undefined && other !== undefined && own !== other && !innerRooms[own]?.includes(other);
  });
  expect(wrong.map(said)).toEqual([]);
});

test('No protocol, provisioner or store imports its neighbour, but the pages what answers operators, and dashboards the pages.', () => {
  const wrong = ownImports.filter((one) => {
    const own = /^src\/(?:protocols|provisioners|stores)\/[^/]+\//.exec(one.file)?.[0];
    const other = /^src\/(?:protocols|provisioners|stores)\/[^/]+\//.exec(resolved(one) ?? '')?.[0];
    // They show what it tells, and do what it does (decision 103).
    if (own === 'src/protocols/pages/' && other === 'src/protocols/operator/') return false;
    // They look alike, and are written by the same templates (decision 115).
    if (own === 'src/protocols/dashboard/' && other === 'src/protocols/pages/') return false;
    return own !== undefined && other !== undefined && own !== other;
  });
  expect(wrong.map(said)).toEqual([]);
});

test('There is no cycle of imports, in src/ and in test/.', () => {
  const graph = new Map([...sources.keys()].map((file) => [file, [] as (string | undefined)[]]));
  for (const one of imports) graph.get(one.file)?.push(resolved(one));
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
  for (const file of sources.keys()) visit(file, []);
  expect(cycles).toEqual([]);
});

test('A room without inner rooms has no more than 20 files.', () => {
  const counts = Map.groupBy(files, (file) => dirname(file));
  // The face of the core is its words; what is behind them is in its inner rooms.
  const large = [...counts].filter(([room, own]) => own.length > (room === 'src/broker' ? 30 : 20));
  expect(large.map(([room, own]) => `${room}: ${own.length}`)).toEqual([]);
});

/** The verbs and words that each driver of one kind has, each in a folder of its own. */
function driverOf(file: string): string | undefined {
  return /^src\/(?:protocols|provisioners|stores)\/[^/]+(?=\/)/.exec(file)?.[0];
}

test('No name is exported twice, but by the drivers of protocols/, provisioners/ and stores/.', () => {
  const exporters = new Map<string, string[]>();
  for (const file of files) {
    const text = sources.get(file) ?? '';
    for (const [, name = ''] of text.matchAll(
      /^export (?:async )?(?:function\*?|const|interface|type|class) (\w+)/gm,
    ))
      exporters.set(name, [...(exporters.get(name) ?? []), file]);
  }
  const twice = [...exporters].filter(([, from]) => {
    const shared = from.filter((file) => driverOf(file) === undefined);
    const drivers = from.map(driverOf).filter((driver) => driver !== undefined);
    return shared.length > 1 || new Set(drivers).size < drivers.length;
  });
  expect(twice.map(([name, from]) => `${name}: ${from.join(', ')}`)).toEqual([]);
});

test('Only config/config.ts reads the environment of the process.', () => {
  const readers = files.filter((file) => /process\.env/.test(sources.get(file) ?? ''));
  expect(readers.filter((file) => file !== 'src/config/config.ts')).toEqual([]);
});

test('Only postgres/connections.ts makes connections to Postgres, so that none is without a listener.', () => {
  const makers = files.filter((file) => /new (?:pg\.)?(?:Pool|Client)\(/.test(sources.get(file) ?? ''));
  expect(makers).toEqual(['src/postgres/connections.ts']);
});

test('A shell runs fixed texts only, what differs comes as arguments, and no other way leads to one.', () => {
  const own = files.map((file) => [file, sources.get(file) ?? ''] as const);
  const texts = own.flatMap(([file, text]) =>
    [...text.matchAll(/sh',\s*\[?'-l?c',\s*([^,\]]+)/g)].map(([, script]) => `${file}: ${script}`),
  );
  expect(texts).toEqual([
    'src/database/launch.ts: WATCH',
    `src/provisioners/process/exec-and-log.ts: 'exec "$@" 2>&1'`,
    `src/system/account.ts: 'test "$1" "$2"'`,
    `src/system/end-user.ts: 'kill -KILL -1'`,
    `src/system/limits/open-groups.ts: 'read -r word'`,
    'src/system/sandbox/bubblewrap.ts: script',
    `src/system/sandbox/bubblewrap.ts: ':'`,
    `src/system/sandbox/wrap.ts: 'exec "$@"'`,
    'src/system/start-gated.ts: GATE',
  ]);
  const ways = /\bshell: (?:true|')|\bexecSync\b|[{,]\s*exec\s*[,}][^;]*'node:child_process'/;
  expect(own.filter(([, text]) => ways.test(text)).map(([file]) => file)).toEqual([]);
});

test('Only make-directory.ts makes directories above others: the way of Node never ends in /proc.', () => {
  const makers = files.filter((file) => /mkdir(?:Sync)?\([^;]*recursive:/.test(sources.get(file) ?? ''));
  expect(makers).toEqual([]);
});

test('No file of src/ has more than 250 lines, and none of test/ more than 400.', () => {
  const isLong = (file: string, limit: number) => (sources.get(file) ?? '').split('\n').length > limit + 1;
  const long = [
    ...files.filter((file) => isLong(file, 250)),
    ...testFiles.filter((file) => isLong(file, 400)),
  ];
  expect(long).toEqual([]);
});

interface Sized {
  readonly name: string;
  /** Without those of the functions declared inside it. */
  readonly own: number;
  readonly all: number;
}

function functionsOf(text: string, indent = ''): Sized[] {
  const pattern = new RegExp(
    `^${indent}(?:export )?(?:async )?function\\*? (\\w+)[\\s\\S]*?\\n${indent}\\}$`,
    'gm',
  );
  return [...text.matchAll(pattern)].flatMap(([whole, name = '']) => {
    const inner = functionsOf(whole, `${indent}  `);
    const all = whole.split('\n').length;
    const nested = inner.filter((one) => one.all > 0).reduce((sum, { own }) => sum + own, 0);
    return [{ name, own: all - nested, all }, ...inner];
  });
}

test('No function has more than 50 lines of its own, nor more than 120 with those inside it.', () => {
  const long = files.flatMap((file) =>
    functionsOf(sources.get(file) ?? '')
      .filter(({ own, all }) => own > 50 || all > 120)
      .map(({ name, own, all }) => `${file} ${name}: ${own} of its own, ${all} in all`),
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

test('What is absent is undefined: no object is spread only to leave a member out.', () => {
  const spread = /\.\.\.\([^()]*(?:\([^()]*\)[^()]*)*\?\s*(?:\{\}\s*:|[^:]*:\s*\{\}\s*\))/;
  expect(files.filter((file) => spread.test(sources.get(file) ?? ''))).toEqual([]);
});

interface Titled {
  readonly file: string;
  readonly title: string;
}

/** The titles that are written as texts; those of test.each with their placeholders. */
const titles: readonly Titled[] = testFiles.flatMap((file) => {
  const text = sources.get(file) ?? '';
  const maker = /\b(?:test|it|describe)\b(?:\.\w+)*/g;
  return [...text.matchAll(/(\b(?:test|it)(?:\.\w+)*|\))\(\s*(['"`])((?:\\.|(?!\2).)+)\2,\s/g)]
    .filter(({ 1: called, index }) => called !== ')' || isTest(text.slice(0, index)))
    .map(({ 3: title = '' }) => ({ file, title }));
  function isTest(before: string): boolean {
    return /^(?:test|it)\b.*\.each$/.test(before.match(maker)?.at(-1) ?? '');
  }
});

test('The title of a test names its subject, for a reader who sees nothing else of it.', () => {
  const nameless = /^(?:[a-z]+ |(?:It|They|This|That|These|Those|So|Its|Their|One that|The same)\b)/;
  const wrong = titles.filter(({ title }) => title.length < 12 || nameless.test(title));
  expect(titles.length).toBeGreaterThan(1500);
  expect(wrong.map(({ file, title }) => `${file}: ${title}`)).toEqual([]);
});
