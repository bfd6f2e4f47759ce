import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json } from '../../../src/broker/json.ts';
import type { Provisioner, Work } from '../../../src/broker/provisioner.ts';
import { processes } from '../../../src/provisioners/process/index.ts';
import { portsWith } from './fixed-ports.ts';
import {
  aProcessNode,
  carry,
  config,
  directoryOf,
  following,
  look,
  pidOf,
  plan,
  type ProcessNode,
  startsOf,
  work,
} from './process-node.ts';

/** kill -9 of the broker at any moment; another one goes on from what was recorded. */

let testNode: ProcessNode;
let provisioner: Provisioner;
const port = 21_500;
/** Whoever runs these tests at the same time has other instances. */
const own = (name: string) => `${name}-${process.pid}`;
const made = new Map<string, Work>();
beforeAll(async () => {
  testNode = await aProcessNode();
  provisioner = processes({ node: testNode.node, ports: portsWith(port) });
});
// Also what a test that failed has left.
afterEach(async () => {
  for (const each of made.values()) await carry(provisioner, 'deprovision', each);
  made.clear();
});
afterAll(() => testNode.close());

function on(id: string, of = plan()): Work {
  const it = work(id, of);
  made.set(id, it);
  return it;
}

interface Crash {
  /** Dies after so many steps; else when this time has passed. */
  readonly steps?: number;
  readonly ms?: number;
}

/** What a broker has recorded when it died; undefined when it came to the end. */
async function crash(word: string, it: Work, { steps = 0, ms }: Crash): Promise<{ memo?: Json } | undefined> {
  const script = join(import.meta.dirname, 'crashing.ts');
  const args = [script, JSON.stringify(testNode.node), String(port), JSON.stringify(it), word, String(steps)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  const timer = ms === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), ms);
  await new Promise((resolve) => child.on('close', resolve));
  clearTimeout(timer);
  const lines = out.split('\n').slice(0, -1);
  if (lines.at(-1) === 'done') return undefined;
  const last = lines.at(-1);
  return last === undefined ? {} : { memo: JSON.parse(last) as Json };
}

/** Live processes of an instance, by the mark in their environment. */
function processesOf(id: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`PURVEYOR_INSTANCE=${id}`);
      } catch {
        return false;
      }
    });
}

async function requireOneServer(id: string, ready: Work): Promise<void> {
  expect(processesOf(id)).toEqual([pidOf(testNode, id)]);
  const [seen] = (await provisioner.units?.inspect(ready)) ?? [];
  expect(seen).toMatchObject({ alive: true, answer: 'ready' });
}

test.each([1, 2, 3, 4, 5, 6])(
  'A12: Killed when step %i of a provision was done and not recorded: one process, one port, `once` ran once.',
  async (steps) => {
    const id = own(`crash-${steps}`);
    const hook = testNode.hook('once-only', 'echo >> once');
    const configure = { run: [hook], env: {}, once: true, timeout: 30_000 };
    const it = on(id, plan({ operating: { hooks: { configure } } }));
    const died = await crash('provision', it, { steps });
    expect(died).toBeDefined();
    const done = await carry(provisioner, 'provision', { ...it, ...died });
    await requireOneServer(id, following(it, done));
    expect(startsOf(testNode, id)).toHaveLength(1);
    expect(readFileSync(join(directoryOf(testNode, id).data, 'once'), 'utf8')).toBe('\n');
    expect((await carry(provisioner, 'deprovision', following(it, done))).did).toContain('stop');
    expect(processesOf(id)).toEqual([]);
  },
);

test('A12: Killed at any moment of a provision, what was begun is adopted or ended, never doubled.', async () => {
  for (let ms = 60; ms < 320; ms += 20) {
    const id = own(`moment-${ms}`);
    const it = on(id);
    const died = await crash('provision', it, { ms });
    const done = await carry(provisioner, 'provision', { ...it, ...died });
    await requireOneServer(id, following(it, done));
    await carry(provisioner, 'deprovision', following(it, done));
    expect(processesOf(id)).toEqual([]);
  }
});

test('A12: Killed at any moment of a provision, a deprovision leaves nothing.', async () => {
  for (let ms = 60; ms < 320; ms += 20) {
    const id = own(`removed-${ms}`);
    const it = on(id);
    const died = await crash('provision', it, { ms });
    await carry(provisioner, 'deprovision', {
      ...it,
      ...(died?.memo === undefined ? {} : { trace: died.memo }),
    });
    expect(processesOf(id)).toEqual([]);
  }
  expect(await provisioner.inventory?.()).toEqual([]);
});

test('Killed at any moment of an update, it comes to its end, with the data.', async () => {
  const updated = own('updated');
  const it = on(updated);
  const done = await carry(provisioner, 'provision', it);
  for (let ms = 60; ms < 320; ms += 40) {
    const env = { ROUND: String(ms) };
    const changed = { ...config, processes: { server: { ...config.processes.server, env } } };
    const next = following(it, done, { plan: plan({ making: { config: changed } }) });
    const died = await crash('update', next, { ms });
    await carry(provisioner, 'update', { ...next, ...died });
    await requireOneServer(updated, next);
    const environ = readFileSync(`/proc/${pidOf(testNode, updated)}/environ`, 'utf8');
    expect(environ).toContain(`ROUND=${ms}`);
  }
  await carry(provisioner, 'deprovision', following(it, done));
});

test('An update that was broken off and given up is put right by the next restart.', async () => {
  const id = own('given-up');
  const it = on(id);
  const done = await carry(provisioner, 'provision', it);
  const changed = { ...config, processes: { server: { ...config.processes.server, env: { NEW: 'yes' } } } };
  const next = following(it, done, { plan: plan({ making: { config: changed } }) });
  // init, stop, check_up, configure, start
  await crash('update', next, { steps: 5 });
  expect(readFileSync(`/proc/${pidOf(testNode, id)}/environ`, 'utf8')).toContain('NEW=yes');
  const ready = following(it, done);
  const { did } = await carry(provisioner, 'restart', ready);
  expect(did).toEqual(['stop', 'check_up', 'configure', 'start', 'check_up']);
  await requireOneServer(id, ready);
  expect(readFileSync(`/proc/${pidOf(testNode, id)}/environ`, 'utf8')).not.toContain('NEW=yes');
  expect(await look({ ...testNode, provisioner }, ready)).toMatchObject({ answer: 'ready' });
  await carry(provisioner, 'deprovision', ready);
});
