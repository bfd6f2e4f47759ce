// Lines of the log that are held back for a moment, so that a request and its operation share one.
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { OperationSummary } from '../../src/broker/events.ts';
import type { AccessEntry } from '../../src/http/access-log.ts';
import { createLog, type Level, type Log } from '../../src/telemetry/log.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { until } from '../support/until.ts';

const operation: OperationSummary = {
  id: 'op1',
  kind: 'provision',
  instanceId: 'i1',
  offeringId: 'echo_service',
  planId: 'big_0001',
  state: 'succeeded',
  attempt: 1,
  failures: 0,
  origin: { protocol: 'osb', principal: 'broker', requestId: 'r1' },
  createdAt: new Date(0),
  deadline: new Date(1),
};
const running: OperationSummary = { ...operation, state: 'in progress' };
const failed: OperationSummary = {
  ...operation,
  state: 'failed',
  failure: { word: 'timeout', sentence: 'Late.', detail: 'x' },
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
  principal: 'broker',
};

type Told = Readonly<Record<string, unknown>>;

function heldLog(logLevel: Level, holdMs: number): { log: Log; lines: () => readonly Told[] } {
  const output = new PassThrough();
  const log = createLog({ logLevel, logFormat: 'json' }, output, holdMs);
  let text = '';
  function lines(): readonly Told[] {
    text += String(output.read() ?? '');
    const all = text.split('\n').slice(0, -1);
    return all.map((line) => JSON.parse(line) as Told);
  }
  return { log, lines };
}

const forEver = 2_000_000;

/** All that is written, since a warning holds nothing back. */
function told(tell: (log: Log) => void, logLevel: Level = 'info'): readonly Told[] {
  const { log, lines } = heldLog(logLevel, forEver);
  tell(log);
  log.note('error', 'the end');
  const all = lines();
  expect(all.at(-1)).toMatchObject({ message: 'the end' });
  return all.slice(0, -1);
}

test('A request and the operation that it was for are told in one line, with the fields of both', () => {
  const all = told((log) => {
    log.event({ type: 'operation-settled', operation, ms: 2 });
    log.access(access);
  });
  expect(all).toEqual([
    {
      time: expect.any(String) as string,
      level: 'info',
      message: 'operation succeeded',
      operation: 'op1',
      kind: 'provision',
      instanceId: 'i1',
      offeringId: 'echo_service',
      planId: 'big_0001',
      attempt: 1,
      ms: 2,
      requestId: 'r1',
      protocol: 'osb',
      principal: 'broker',
      method: 'PUT',
      route: '/v2/service_instances/:instanceId',
      path: '/v2/service_instances/i1',
      status: 201,
      bytes: 2,
      requestMs: 3.1,
    },
  ]);
});

test('An operation that was begun and has ended within its request is told once, by its end', () => {
  const all = told((log) => {
    log.event({ type: 'operation-opened', operation: running });
    log.event({ type: 'operation-settled', operation, ms: 2 });
    log.access(access);
  });
  expect(all).toMatchObject([{ message: 'operation succeeded', status: 201 }]);
});

test('An operation that goes on after its request is told in the line of the request, and its end by itself', () => {
  const all = told((log) => {
    log.event({ type: 'operation-opened', operation: running });
    log.access({ ...access, status: 202 });
    log.event({ type: 'operation-settled', operation, ms: 2 });
  });
  expect(all).toMatchObject([
    { message: 'operation opened', status: 202 },
    { message: 'operation succeeded', ms: 2 },
  ]);
  expect(all[0]).not.toHaveProperty('ms');
  expect(all[1]).not.toHaveProperty('status');
});

test('A line of a request and its operation has the worse level of both, and the details of both', () => {
  const all = told((log) => {
    log.event({ type: 'operation-settled', operation: failed, ms: 2 });
    log.access({ ...access, status: 500, detail: 'y' });
  });
  expect(all).toMatchObject([
    { level: 'error', message: 'operation failed', failure: 'timeout', detail: 'x', requestDetail: 'y' },
  ]);
});

test.each<[string, (log: Log) => void, Level | undefined, readonly object[]]>([
  [
    'of other requests',
    (log) => {
      log.event({ type: 'operation-settled', operation, ms: 2 });
      log.access({ ...access, requestId: 'r2' });
    },
    undefined,
    [{ message: 'request', requestId: 'r2' }, { message: 'operation succeeded' }],
  ],
  [
    'of several operations',
    (log) => {
      log.event({ type: 'operation-settled', operation, ms: 2 });
      log.event({ type: 'operation-settled', operation: { ...operation, id: 'op2' }, ms: 2 });
      log.access(access);
    },
    undefined,
    [{ operation: 'op1' }, { operation: 'op2' }, { message: 'request', status: 201 }],
  ],
  [
    'which the level leaves out',
    (log) => {
      log.event({ type: 'operation-settled', operation: failed, ms: 2 });
      log.access(access);
    },
    'warn',
    [{ message: 'operation failed', level: 'warn' }],
  ],
  [
    'at level debug',
    (log) => {
      log.event({ type: 'operation-opened', operation });
      log.event({ type: 'operation-settled', operation, ms: 2 });
      log.access(access);
    },
    'debug',
    [
      { message: 'operation opened', level: 'debug' },
      { message: 'operation succeeded', status: 201 },
    ],
  ],
])('Lines %s are not lost when others are put together', (_what, tell, level, expected) => {
  expect(told(tell, level)).toMatchObject(expected);
});

test('What is told after an operation stands behind it in the log, although it was held back', () => {
  const all = told((log) => {
    log.event({ type: 'operation-opened', operation: running });
    log.note('info', 'between');
    log.show('{"message":"shown"}\n');
    log.access(access);
  });
  expect(all).toMatchObject([
    { message: 'operation opened' },
    { message: 'between' },
    { message: 'shown' },
    { message: 'request' },
  ]);
});

test('Lines that are held back are written together, and without anything else that happens', async () => {
  const { log, lines } = heldLog('info', 1);
  log.event({ type: 'operation-settled', operation, ms: 2 });
  log.note('info', 'kept');
  expect(lines()).toEqual([]);
  await until('they are written', () => lines().length > 0);
  expect(lines()).toMatchObject([{ message: 'operation succeeded' }, { message: 'kept' }]);
  log.note('info', 'another');
  await until('so is the next one', () => lines().length === 3);
});

test('A warning is written at once, with all that was held back before it', () => {
  const { log, lines } = heldLog('info', forEver);
  log.note('info', 'kept');
  expect(lines()).toEqual([]);
  log.note('warn', 'something happened');
  expect(lines()).toMatchObject([{ message: 'kept' }, { message: 'something happened' }]);
});

const program = (end: string) => `
  const { createLog } = await import('./src/telemetry/log.ts');
  const log = createLog({ logLevel: 'info', logFormat: 'json' }, process.stdout, ${forEver});
  const operation = { id: 'op1', origin: { requestId: 'r1' } };
  log.event({ type: 'operation-settled', operation, ms: 1 });
  for (let count = 0; count < 3000; count += 1) log.note('info', 'line ' + count);
  log.event({ type: 'operation-settled', operation: { ...operation, id: 'op2' }, ms: 1 });
  ${end}`;

/** How a program ended, and what it wrote. */
function runs(end: string, where: 'file' | 'pipe'): { code: number | null; lines: readonly string[] } {
  const file = join(scratch, `log-${where}`);
  const fd = where === 'file' ? openSync(file, 'w') : 'pipe';
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program(end)];
  const { status, stdout } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', fd, 'ignore'],
    maxBuffer: 10_000_000,
  });
  if (typeof fd === 'number') closeSync(fd);
  return { code: status, lines: (where === 'file' ? readFileSync(file, 'utf8') : stdout).trim().split('\n') };
}

const scratch = scratchDirectory('held-lines');

describe.each(['file', 'pipe'] as const)('Into a %s', (where) => {
  test.each([
    ['by itself', '', 0],
    ['by process.exit', 'process.exit(3);', 3],
    ['by what nobody caught', `throw new Error('x');`, 1],
    ['by a promise that nobody waited for', `void Promise.reject(new Error('x'));`, 1],
  ])(`A process that ends %s has written all of its log into its ${where}`, (_how, end, code) => {
    const ended = runs(end, where);
    expect(ended.code).toBe(code);
    const messages = ended.lines.map((line) => JSON.parse(line) as Told).map(({ message }) => message);
    expect(messages).toHaveLength(3002);
    expect(messages).toEqual([
      'operation succeeded',
      ...Array.from({ length: 3000 }, (_none, count) => `line ${count}`),
      'operation succeeded',
    ]);
  });
});

test('A process that ends waits for a reader of its log that has read nothing so far', () => {
  const marker = join(scratch, 'it-ends');
  const end = `(await import('node:fs')).writeFileSync(${JSON.stringify(marker)}, ''); process.exit(3);`;
  const { status, stdout } = spawnSync(
    '/bin/bash',
    [
      '-c',
      'set -o pipefail; "$0" --input-type=module -e "$1" | { until [ -e "$2" ]; do sleep 0.02; done; cat; }',
      process.execPath,
      program(end),
      marker,
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 10_000_000 },
  );
  expect({ status, lines: stdout.trim().split('\n').length }).toEqual({ status: 3, lines: 3002 });
});
