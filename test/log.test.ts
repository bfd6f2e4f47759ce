import { PassThrough } from 'node:stream';
import type { BrokerEvent, OperationSummary } from '../src/broker/events.ts';
import type { Config } from '../src/config.ts';
import type { Access } from '../src/http/access-log.ts';
import { createLog, type Log } from '../src/log.ts';

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

const access: Access = {
  requestId: 'r1',
  protocol: 'osb',
  method: 'PUT',
  route: '/v2/service_instances/:instanceId',
  path: '/v2/service_instances/i1',
  status: 201,
  ms: 3.14159,
  bytes: 2,
};

function written(settings: Partial<Config>, tell: (log: Log) => void): string {
  const output = new PassThrough();
  tell(createLog({ logLevel: 'info', logFormat: 'text', ...settings }, output));
  return String(output.read() ?? '');
}

function jsonLines(
  tell: (log: Log) => void,
  logLevel: Config['logLevel'] = 'debug',
): Record<string, unknown>[] {
  const lines = written({ logFormat: 'json', logLevel }, tell).trim();
  return lines === '' ? [] : lines.split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('for people a line is time, level, message and fields', () => {
  const line = written({}, (log) =>
    log.note('warn', 'something happened', { where: 'here', how: 'very "badly"' }),
  );
  expect(line).toMatch(
    /^\d{4}-\d\d-\d\dT[\d:.]+Z warn {2}something happened where=here how="very \\"badly\\""\n$/,
  );
});

test('for machines a line is one JSON object, whose time, level and message no field can overwrite', () => {
  const [line] = jsonLines((log) => log.note('info', 'true', { level: 'error', message: 'false', n: 1 }));
  expect(line).toEqual({ time: expect.any(String) as string, level: 'info', message: 'true', n: 1 });
});

test.each(['text', 'json'] as const)(
  'a value from outside cannot forge a line or steer a terminal (%s)',
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

test.each<[Config['logLevel'], string[]]>([
  ['error', ['e']],
  ['warn', ['e', 'w']],
  ['info', ['e', 'w', 'i']],
  ['debug', ['e', 'w', 'i', 'd']],
])('at level %s it writes %j', (logLevel, expected) => {
  const lines = jsonLines((log) => {
    log.note('error', 'e');
    log.note('warn', 'w');
    log.note('info', 'i');
    log.note('debug', 'd');
  }, logLevel);
  expect(lines.map(({ message }) => message)).toEqual(expected);
});

test.each<[string, Partial<Access>, string]>([
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
  [{ type: 'trouble', doing: 'work', detail: 'x' }, 'error', 'trouble', { doing: 'work', detail: 'x' }],
])('of $type it says enough to find the operation', (event, level, message, fields) => {
  const [line] = jsonLines((log) => log.event(event));
  expect(line).toMatchObject({ level, message, ...fields });
});
