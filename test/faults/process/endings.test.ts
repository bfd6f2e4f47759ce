// What must end ends, what must not be touched goes on, and what could not be made leaves nothing.
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { address, isThere, say } from '../../provisioners/process/process-node.ts';
import { keyIn } from '../../support/instance-key.ts';
import { common, planOf, tiny } from './offerings.ts';
import { openOneNode, pathOf, processesOf, type Maker, type OneNode } from './one-node.ts';
import { until } from '../../support/until.ts';

const timeouts = { stop: '1s' };
const offered = (plan: string) => ({ offering: 'tiny', plan });
const own = (name: string) => `${name}-${process.pid}`;
const sticky = { offering: 'sticky', plan: 'small' };
const hooks = {
  // It works from the second try on; for some of its instances the first one has failed for good.
  'sticky/remove': 'echo x >> tries; [ "$(wc -l < tries)" -ge 2 ] || { echo "still in use" >&2; exit "$1"; }',
};

let oneNode: OneNode;
let broker: Maker;
const strangers: ChildProcess[] = [];
beforeAll(async () => {
  const remove = { run: ['./hooks/sticky/remove', '{{params.code}}'] };
  oneNode = await openOneNode(
    [
      tiny('tiny', { timeouts, monitor: { every: '1s', restart: 0 } }),
      tiny('hasty', { timeouts: { start: '1s' } }),
      {
        ...common('sticky', [planOf('sticky', 'small')], 'command'),
        parameters: { code: { type: 'integer' } },
        hooks: { remove },
        config: {},
        credentials: { name: '{{instance.key}}' },
      },
    ],
    hooks,
  );
  broker = await oneNode.start({ NODE_PORTS: '21600-21699', ASYNC_PATIENCE: '0ms' });
});
afterAll(async () => {
  for (const stranger of strangers) stranger.kill('SIGKILL');
  await oneNode.close();
});

async function make(id: string, plan = 'small'): Promise<{ port: number; password: string; pid: number }> {
  const made = await broker.provision(id, offered(plan));
  expect([made.status, made.body]).toEqual([201, expect.anything()]);
  const { body } = await broker.bind(id, offered(plan));
  const { port, password } = body['credentials'] as { port: number; password: string };
  return { port, password, pid: Number(await say(port, 'PID')) };
}

async function operate(id: string, action: 'start' | 'stop' | 'restart') {
  const answer = await broker.operate('POST', `/instances/${id}/actions/${action}`);
  await until('it has ended', async () => (await broker.details(id)).operations[0]?.state !== 'in progress');
  const [operation] = (await broker.details(id)).operations;
  return { answer, operation, steps: operation?.timeline.map(({ step }) => step) };
}

/** A program of somebody else's that listens there. */
async function aStranger(port: number): Promise<ChildProcess> {
  const script = `require('net').createServer((s) => s.end('stranger\\n')).listen(${port}, '${address}', () => console.log())`;
  const stranger = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  strangers.push(stranger);
  await new Promise((resolve) => stranger.stdout?.once('data', resolve));
  return stranger;
}

async function portsOf(id: string): Promise<number> {
  const text =
    'select port from node_ports where instance_id = (select key from service_instances where id = $1)';
  return (await oneNode.database.pool.query(text, [id])).rows.length;
}

const unwilling = [
  { id: own('ignores'), plan: 'stubborn' },
  { id: own('stands'), plan: 'small', signal: 'SIGSTOP' },
] as const;

test('A program that ignores SIGTERM, or stands still, is killed when the time of stop is over [A6].', async () => {
  await Promise.all(unwilling.map(endTwice));
  expect(oneNode.keys()).toEqual([]);
});

/** By a stop, and by the removal of what runs again. */
async function endTwice(given: (typeof unwilling)[number]): Promise<void> {
  const { id, plan } = given;
  const { pid } = await make(id, plan);
  if ('signal' in given) process.kill(pid, given.signal);
  const { answer, steps } = await operate(id, 'stop');
  expect(answer.status).toBeLessThan(300);
  expect(steps).toEqual(['stop', 'check_up', 'halt', 'check_up']);
  expect(isThere(pid)).toBe(false);
  await broker.shows(id, 'stopped');

  await operate(id, 'start');
  const [again = 0] = processesOf(id);
  if ('signal' in given) process.kill(again, given.signal);
  expect((await broker.deprovision(id, offered(plan))).status).toBe(200);
  expect([isThere(again), processesOf(id)]).toEqual([false, []]);
}

describe('A foreign program on the old port of an instance', () => {
  test.each(['at rest', 'killed'] as const)(
    'A foreign program on the old port of an instance is not touched by whatever is done with one that is %s [A7].',
    async (how) => {
      const id = own(`strange-${how.slice(0, 2)}`);
      const { port, pid } = await make(id);
      if (how === 'at rest') await operate(id, 'stop');
      else process.kill(pid, 'SIGKILL');
      await until('it is over', () => !isThere(pid));
      const stranger = await aStranger(port);
      for (const action of ['stop', 'restart', 'start', 'stop'] as const) {
        const { operation } = await operate(id, action);
        const sentence = `Another program uses the network port ${port} of the instance.`;
        if (action === 'stop') expect(operation?.state).toBe('succeeded');
        else expect(operation?.failure?.sentence).toContain(sentence);
        expect(await say(port, 'PING')).toBe('stranger');
      }
      await broker.shows(id, 'stopped');
      expect((await broker.deprovision(id, offered('small'))).status).toBe(200);
      expect(await say(port, 'PING')).toBe('stranger');
      expect([stranger.exitCode, stranger.signalCode]).toEqual([null, null]);
      expect([processesOf(id), oneNode.keys(), await portsOf(id)]).toEqual([[], [], 0]);
    },
  );
});

describe('What could not be made', () => {
  test.each([
    ['never gets ready', { offering: 'hasty', plan: 'mute' }, /was not ready|not get ready|did not/],
    ['ends at once', offered('dying'), /ended before it was ready/],
  ] as const)(
    'What could not be made because it %s fails with the tail of its log, and leaves nothing [A8].',
    async (_how, of, why) => {
      const id = own(of.plan);
      const { status, body } = await broker.provision(id, of);
      expect([status, body['description']]).toEqual([500, expect.stringMatching(why)]);
      const { state, operations } = await broker.details(id);
      expect(state).toBe('failed');
      expect(operations[0]?.failure?.detail).toContain('begins with ***');
      expect(JSON.stringify(operations[0])).not.toMatch(/begins with [^*]/);
      expect([processesOf(id), oneNode.keys(), await portsOf(id)]).toEqual([[], [], 0]);
      expect((await broker.deprovision(id, of)).status).toBe(200);
    },
  );

  test('An update that fails leaves the old instance running, with its data, plan and parameters [P9].', async () => {
    const id = own('updated');
    const { port } = await make(id);
    expect(await say(port, 'SET kept')).toBe('OK');
    const parameters = { says: 'changed' };
    const { status } = await broker.update(id, offered('small'), { plan_id: 'tiny-dying', parameters });
    expect(status).toBe(500);
    expect((await broker.ask('GET', pathOf(id))).body).toMatchObject({
      plan_id: 'tiny-small',
      parameters: {},
    });
    expect(await Promise.all(['GET', 'SAY'].map((word) => say(port, word)))).toEqual(['kept', 'hello']);
    expect(processesOf(id)).toHaveLength(1);
    const { operations } = await broker.shows(id, 'started');
    expect(operations.find(({ kind }) => kind === 'update')).toMatchObject({ state: 'failed' });

    // And one that does not: the same data at the same port, by another process.
    const [before = 0] = processesOf(id);
    expect((await broker.update(id, offered('small'), { parameters })).status).toBe(200);
    expect(await Promise.all(['GET', 'SAY'].map((word) => say(port, word)))).toEqual(['kept', 'changed']);
    expect([isThere(before), processesOf(id).length]).toEqual([false, 1]);
    expect((await broker.deprovision(id, offered('small'))).status).toBe(200);
  });
});

describe('A removal in the background', () => {
  const last = async (id: string) => (await broker.ask('GET', `${pathOf(id)}/last_operation`)).body['state'];

  test('A removal in the background is answered at once, and in the end everything is gone [P16].', async () => {
    const id = own('slow');
    const { pid } = await make(id, 'stubborn');
    const answer = await broker.deprovision(id, { ...offered('stubborn'), incomplete: true });
    expect([answer.status, isThere(pid)]).toEqual([202, true]);
    await until('it is gone', async () => (await last(id)) === undefined);
    expect([processesOf(id), oneNode.keys(), await portsOf(id)]).toEqual([[], [], 0]);
  });

  test('A removal in the background that does not work yet is tried again, and everybody sees that [P16].', async () => {
    const id = own('again');
    expect((await broker.provision(id, sticky, { code: 75 })).status).toBe(201);
    expect((await broker.deprovision(id, { ...sticky, incomplete: true })).status).toBe(202);
    expect(await last(id)).toBe('in progress');
    expect(await broker.details(id)).toMatchObject({ state: 'deprovisioning' });
    await until('it is gone', async () => (await last(id)) === undefined);
    expect(oneNode.keys('command')).toEqual([]);
  });

  test('A removal in the background that fails is told, and works the next time [P16].', async () => {
    const id = own('failing');
    expect((await broker.provision(id, sticky, { code: 1 })).status).toBe(201);
    expect((await broker.deprovision(id, { ...sticky, incomplete: true })).status).toBe(202);
    await until('it has failed', async () => (await last(id)) === 'failed');
    const { operations } = await broker.details(id);
    expect(JSON.stringify(operations[0]?.failure)).toContain('still in use');
    expect(oneNode.keys('command')).toEqual([keyIn(join(oneNode.directory, 'command'), id)]);
    expect((await broker.deprovision(id, sticky)).status).toBe(200);
    expect(oneNode.keys('command')).toEqual([]);
  });
});
