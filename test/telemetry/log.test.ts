import { PassThrough } from 'node:stream';
import type { BrokerEvent, CommandSummary, OperationSummary } from '../../src/broker/events.ts';
import type { CoreConfig } from '../../src/config/config.ts';
import type { AccessEntry } from '../../src/http/access-log.ts';
import { createLog, type Log } from '../../src/telemetry/log.ts';

const operation: OperationSummary = {
  id: 'op1',
  kind: 'provision',
  instanceId: 'i1',
  offeringId: 'echo_service',
  planId: 'big_0001',
  state: 'in progress',
  attempt: 1,
  failures: 0,
  origin: { protocol: 'osb', requestId: 'r1' },
  createdAt: new Date(0),
  deadline: new Date(1),
};

const access: AccessEntry = {
  requestId: 'r1',
  protocol: 'osb',
  method: 'PUT',
  route: '/v2/service_instances/:instanceId',
  path: '/v2/service_instances/i1',
  status: 201,
  ms: 3.14159,
  bytes: 2,
};

function written(settings: Partial<CoreConfig>, tell: (log: Log) => void): string {
  const output = new PassThrough();
  tell(createLog({ logLevel: 'info', logFormat: 'text', ...settings }, output));
  return String(output.read() ?? '');
}

function jsonLines(
  tell: (log: Log) => void,
  logLevel: CoreConfig['logLevel'] = 'debug',
): Record<string, unknown>[] {
  const lines = written({ logFormat: 'json', logLevel }, tell).trim();
  return lines === '' ? [] : lines.split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('For people a line of the log is time, level, message and fields', () => {
  const line = written({}, (log) =>
    log.note('warn', 'something happened', { where: 'here', how: 'very "badly"' }),
  );
  expect(line).toMatch(
    /^\d{4}-\d\d-\d\dT[\d:.]+Z warn {2}something happened where=here how="very \\"badly\\""\n$/,
  );
});

test('For machines a line of the log is one JSON object, whose time, level and message no field can overwrite', () => {
  const [line] = jsonLines((log) => log.note('info', 'true', { level: 'error', message: 'false', n: 1 }));
  expect(line).toEqual({ time: expect.any(String) as string, level: 'info', message: 'true', n: 1 });
});

test.each(['text', 'json'] as const)(
  'A value from outside cannot forge a line of the log or steer a terminal (%s)',
  (logFormat) => {
    const evil = 'x\ny\r\u2028z\u001b[2J\u009b1m\u202egnp';
    const text = written({ logFormat }, (log) => {
      log.access({ ...access, path: evil, principal: evil });
      log.note('info', evil, { [evil]: evil });
    });
    expect(text.match(/\n/g)).toHaveLength(2);
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]/u);
  },
);

/** As on a terminal of this width. */
function onTerminal(columns: number | undefined, tell: (log: Log) => void, isTTY = true): string {
  const output = Object.assign(new PassThrough(), { isTTY, columns });
  tell(createLog({ logLevel: 'debug', logFormat: 'text' }, output));
  return String(output.read() ?? '');
}

const long = {
  ...operation,
  id: '0b1d6f7e-5a0c-4f3e-9d57-2f1f4c0a9e11',
  instanceId: 'f3c1a8de-6b7f-4f0a-8f6e-3a2b1c0d9e8f',
  bindingId: '7d0e9c1b-2a3f-4e5d-8c7b-6a5f4e3d2c1b',
  offeringId: '6b4f2e81-0c9d-4a37-b5e2-1f8a7d6c5b10',
  planId: '6b4f2e81-0c9d-4a37-b5e2-1f8a7d6c5b11',
  origin: { protocol: 'osb', requestId: 'a0b1c2d3-e4f5-4a6b-8c7d-9e0f1a2b3c4d' },
};
const told: readonly ((log: Log) => void)[] = [
  (log) => log.event({ type: 'operation-opened', operation: long }),
  (log) =>
    log.event({ type: 'step-failed', operation: long, detail: 'It has ended. '.repeat(30), retryMs: 1 }),
  (log) => log.access({ ...access, principal: 'broker', detail: 'a "quoted" word' }),
  (log) => log.note('warn', 'a sentence that is long enough for more than one line. '.repeat(5)),
];

describe.each([80, 100, 200])('On a terminal of %i columns', (columns) => {
  test('On a terminal lines fit, records begin at the margin with their time, and nothing is lost but the breaks.', () => {
    for (const tell of told) {
      const lines = onTerminal(columns, tell).trimEnd().split('\n');
      expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(columns);
      expect(lines.filter((line) => /^\S/.test(line))).toHaveLength(1);
      const joined = lines.map((line) => line.trim()).join(' ');
      const whole = onTerminal(undefined, tell).replace(/\s+/g, ' ').trim();
      expect(withoutTime(joined.replace(/\s+/g, ' '))).toBe(withoutTime(whole));
    }
  });

  test('On a terminal a pair is kept whole where it fits into a line.', () => {
    for (const tell of told) {
      const pairs = onTerminal(undefined, tell).match(/\w+=(?:"(?:[^"\\]|\\.)*"|\S+)/g) ?? [];
      const fitting = pairs.filter(({ length }) => length + 4 <= columns);
      for (const pair of fitting) expect(onTerminal(columns, tell)).toContain(pair);
    }
  });

  test('On a terminal a value can pass for no record and for no pair of its own.', () => {
    const forged = `${'x'.repeat(columns)} 2026-01-31T12:00:00.000Z error forged level=error\n2026-01-31T12:00:00.000Z`;
    const text = onTerminal(columns, (log) => log.note('info', forged, { [forged]: forged, path: forged }));
    const lines = text.trimEnd().split('\n');
    expect(lines.filter((line) => !line.startsWith('    '))).toHaveLength(1);
    expect(lines.filter((line) => /^ {0,4}level=/.test(line))).toEqual([]);
  });
});

test('A word that is longer than the terminal is wide stays whole, so that it can be copied.', () => {
  const address = `http://127.0.0.1/${'a'.repeat(100)}`;
  const text = onTerminal(80, (log) => log.note('info', 'at', { address, n: 1 }));
  expect(text).toMatch(new RegExp(`^\\S+Z info  at\\n {4}address=${address}\\n {4}n=1\\n$`));
});

test.each([
  ['a file or a pipe', 80, false],
  ['a terminal that does not know its width', undefined, true],
  ['a terminal without columns', 0, true],
])('For %s each record of the log is one line.', (_what, columns, isTTY) => {
  for (const tell of told) expect(onTerminal(columns, tell, isTTY).match(/\n/g)).toHaveLength(1);
});

test('Lines follow the width of the terminal while it changes.', () => {
  const output = Object.assign(new PassThrough(), { isTTY: true, columns: 400 });
  const log = createLog({ logLevel: 'info', logFormat: 'text' }, output);
  log.event({ type: 'operation-opened', operation: long });
  expect(String(output.read()).match(/\n/g)).toHaveLength(1);
  output.columns = 80;
  log.event({ type: 'operation-opened', operation: long });
  expect(String(output.read()).match(/\n/g)?.length).toBeGreaterThan(3);
});

function withoutTime(text: string): string {
  return text.replace(/^\S+ /, '');
}

test.each<[CoreConfig['logLevel'], string[]]>([
  ['error', ['e']],
  ['warn', ['e', 'w']],
  ['info', ['e', 'w', 'i']],
  ['debug', ['e', 'w', 'i', 'd']],
])('At level %s the log writes %j', (logLevel, expected) => {
  const lines = jsonLines((log) => {
    log.note('error', 'e');
    log.note('warn', 'w');
    log.note('info', 'i');
    log.note('debug', 'd');
  }, logLevel);
  expect(lines.map(({ message }) => message)).toEqual(expected);
});

test.each<[string, Partial<AccessEntry>, string]>([
  ['a mutation', {}, 'info'],
  ['a read that succeeds', { method: 'GET', status: 200 }, 'debug'],
  ['a read that is refused', { method: 'GET', status: 404 }, 'warn'],
  ['a mutation that is refused', { status: 409 }, 'warn'],
  ['a probe that is told no', { method: 'GET', status: 503, route: '/readyz' }, 'debug'],
  ['a request that nobody can serve now', { status: 503 }, 'error'],
  ['an unexpected error', { method: 'GET', status: 500, detail: 'why' }, 'error'],
])('%s is logged', (_what, part, level) => {
  const [line] = jsonLines((log) => log.access({ ...access, ...part }));
  expect(line).toMatchObject({ level, message: 'request', requestId: 'r1', ms: 3.1, ...part });
});

const asked = { protocol: 'operator', principal: 'ops', requestId: 'r1' };

/** One of each kind, and what the log says of it. */
const commands: {
  readonly [Kind in CommandSummary['kind']]: readonly [CommandSummary & { readonly kind: Kind }, object];
} = {
  drain: [{ kind: 'drain', node: 'n1' }, { node: 'n1' }],
  undrain: [{ kind: 'undrain', node: 'n1' }, { node: 'n1' }],
  forget: [{ kind: 'forget', node: 'n1' }, { node: 'n1' }],
  abandon: [{ kind: 'abandon', node: 'n1' }, { node: 'n1' }],
  cancel: [{ kind: 'cancel', operationId: 'o1' }, { operationId: 'o1' }],
  purge: [
    { kind: 'purge', instanceId: 'i1', bindingId: 'b1' },
    { instanceId: 'i1', bindingId: 'b1' },
  ],
  'delete-backup': [
    { kind: 'delete-backup', backupId: 'k1', instanceId: 'i1' },
    { backupId: 'k1', instanceId: 'i1' },
  ],
  protect: [{ kind: 'protect', instanceId: 'i1' }, { instanceId: 'i1' }],
  undelete: [{ kind: 'undelete', instanceId: 'i1' }, { instanceId: 'i1' }],
  unprotect: [{ kind: 'unprotect', instanceId: 'i1' }, { instanceId: 'i1' }],
  'dashboard-link': [
    { kind: 'dashboard-link', instanceId: 'i1', forMs: 1000 },
    { instanceId: 'i1', forMs: 1000 },
  ],
  'force-delete': [{ kind: 'force-delete', instanceId: 'i1' }, { instanceId: 'i1' }],
  'remove-orphan': [
    { kind: 'remove-orphan', provisioner: 'process', node: 'n1', name: 'p1' },
    { provisioner: 'process', node: 'n1', name: 'p1' },
  ],
  'renew-authority': [
    { kind: 'renew-authority', generation: 2, signsAfter: 1000 },
    { generation: 2, signsAfter: 1000 },
  ],
  'start-upgrades': [{ kind: 'start-upgrades', run: 'r1' }, { run: 'r1' }],
  'pause-upgrades': [{ kind: 'pause-upgrades', run: 'r1' }, { run: 'r1' }],
  'resume-upgrades': [{ kind: 'resume-upgrades', run: 'r1' }, { run: 'r1' }],
  'retry-webhooks': [{ kind: 'retry-webhooks', receiver: 'w1' }, { receiver: 'w1' }],
  'cancel-upgrades': [{ kind: 'cancel-upgrades', run: 'r1' }, { run: 'r1' }],
  exec: [
    {
      kind: 'exec',
      instanceId: 'i1',
      unit: undefined,
      program: 'ps',
      argumentCount: 2,
      ended: [
        { unit: 'web', code: 0 },
        { unit: 'db', code: 3 },
      ],
    },
    { instanceId: 'i1', program: 'ps', argumentCount: 2, ended: ['web: 0', 'db: 3'] },
  ],
  log: [
    { kind: 'log', instanceId: 'i1', unit: 'web', lines: 5 },
    { instanceId: 'i1', unit: 'web', lines: 5 },
  ],
  rekey: [
    { kind: 'rekey', records: 3, unreadable: 1 },
    { records: 3, unreadable: 1 },
  ],
};

test.each<[BrokerEvent, string, string, object]>([
  [
    { type: 'operation-opened', operation },
    'info',
    'operation opened',
    { operation: 'op1', requestId: 'r1' },
  ],
  [{ type: 'operation-claimed', operation }, 'debug', 'operation claimed', { kind: 'provision' }],
  [{ type: 'operation-cancelled', operation, by: 'op2' }, 'info', 'operation cancelled', { by: 'op2' }],
  [{ type: 'operation-lost', operation }, 'warn', 'operation lost to another broker', { attempt: 1 }],
  [{ type: 'operation-settled', operation, ms: 5 }, 'info', 'operation succeeded', { ms: 5 }],
  [
    {
      type: 'operation-settled',
      operation: { ...operation, failure: { word: 'timeout', sentence: 'Late.' } },
      ms: 5,
    },
    'warn',
    'operation failed',
    { failure: 'timeout', sentence: 'Late.' },
  ],
  [{ type: 'step-failed', operation, detail: 'x' }, 'warn', 'step failed', { detail: 'x' }],
  [
    { type: 'step-failed', operation, detail: 'x', retryMs: 1000 },
    'warn',
    'step failed, will be tried again',
    { retryMs: 1000 },
  ],
  [{ type: 'undo-started', operation, detail: 'x' }, 'warn', 'operation failed, undoing it', { detail: 'x' }],
  [
    {
      type: 'upgrades-changed',
      run: 'r1',
      state: 'paused',
      reason: 'Why.',
      counts: { succeeded: 2, failed: 1, skipped: 0 },
    },
    'warn',
    'upgrades paused',
    { run: 'r1', reason: 'Why.', succeeded: 2, failed: 1, skipped: 0 },
  ],
  [
    { type: 'webhook-tried', receiver: 'w1', id: 'm1', event: 'e', result: 'dead', detail: 'Why.' },
    'error',
    'webhook dead',
    { receiver: 'w1', id: 'm1', event: 'e', detail: 'Why.' },
  ],
  [
    { type: 'binding-expired', instanceId: 'i1', bindingId: 'b1' },
    'info',
    'binding expired',
    { instanceId: 'i1', bindingId: 'b1' },
  ],
  [
    {
      type: 'unit-changed',
      instanceId: 'i1',
      unit: 'main',
      from: 'started',
      to: 'error',
      reason: 'it ended',
    },
    'warn',
    'unit error',
    { instanceId: 'i1', unit: 'main', from: 'started', reason: 'it ended' },
  ],
  ...(['error', 'unreachable', 'down'] as const).map((to): [BrokerEvent, string, string, object] => [
    { type: 'unit-changed', instanceId: 'i1', unit: 'main', to, reason: 'why' },
    'warn',
    `unit ${to}`,
    { reason: 'why' },
  ]),
  ...(['building', 'stopped'] as const).map((to): [BrokerEvent, string, string, object] => [
    { type: 'unit-changed', instanceId: 'i1', unit: 'main', to, reason: 'why' },
    'info',
    `unit ${to}`,
    { reason: 'why' },
  ]),
  [
    { type: 'unit-changed', instanceId: 'i1', unit: 'main', to: 'started', reason: 'it runs' },
    'info',
    'unit started',
    { unit: 'main' },
  ],
  [
    { type: 'limit-near', instanceId: 'i1', unit: 'main', reason: 'it takes 9 MB' },
    'warn',
    'unit near its limit',
    { instanceId: 'i1', unit: 'main', reason: 'it takes 9 MB' },
  ],
  [
    { type: 'left-alone', instanceId: 'i1', unit: 'main', restarts: 3 },
    'error',
    'unit failed again, left alone',
    { instanceId: 'i1', unit: 'main', restarts: 3 },
  ],
  [
    { type: 'orphan-suspected', provisioner: 'process', node: 'n1', name: 'p1' },
    'warn',
    'found what no instance stands for',
    { provisioner: 'process', node: 'n1', name: 'p1' },
  ],
  [
    { type: 'orphan-removed', provisioner: 'postgres', name: 'p1' },
    'info',
    'removed what no instance stands for',
    { provisioner: 'postgres', name: 'p1' },
  ],
  ...Object.values(commands).map(([command, fields]): [BrokerEvent, string, string, object] => [
    { type: 'command-ended', command, origin: asked, ms: 5 },
    'info',
    'command succeeded',
    { command: command.kind, ...fields, ...asked, ms: 5 },
  ]),
  [
    {
      type: 'command-ended',
      command: { kind: 'drain', node: 'n1' },
      origin: asked,
      ms: 5,
      failure: { word: 'not-found', sentence: 'There is none.' },
    },
    'warn',
    'command failed',
    { command: 'drain', node: 'n1', requestId: 'r1', failure: 'not-found', sentence: 'There is none.' },
  ],
  [{ type: 'trouble', doing: 'work', detail: 'x' }, 'error', 'trouble', { doing: 'work', detail: 'x' }],
])('The log line of $type says enough to find the operation', (event, level, message, fields) => {
  const [line] = jsonLines((log) => log.event(event));
  expect(line).toMatchObject({ level, message, ...fields });
});
