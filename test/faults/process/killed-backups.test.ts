// The broker is killed after each step of a backup and of a restore in turn, and another process becomes the node.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keyIn } from '../../support/instance-key.ts';
import { scratchDirectory } from '../../support/scratch-directory.ts';
import { until } from '../../support/until.ts';
import { fates, openStepGate, type StepGate } from '../step-gate.ts';
import { common, planOf, tiny } from './offerings.ts';
import { openOneNode, processesOf, type Maker, type OneNode } from './one-node.ts';

const steps = {
  tiny: { backup: ['backup'], restore: ['stop', 'check_up', 'restore', 'start', 'check_up'] },
  folders: { backup: ['backup'], restore: ['unpack', 'clear', 'restore'] },
} as const;
type Deed = 'backup' | 'restore';

const cases = (['tiny', 'folders'] as const).flatMap((offering) =>
  (['backup', 'restore'] as const).flatMap((deed) =>
    fates.flatMap((fate, place) =>
      steps[offering][deed].map((step, index) => ({
        offering,
        deed,
        fate,
        step,
        number: index + 1,
        id: `${offering}-${deed}-${place}-${index + 1}-${process.pid}`,
      })),
    ),
  ),
);
type Case = (typeof cases)[number];

const backups = scratchDirectory('killed-backups');
// All are held up at once.
const env = { WORKERS: '40', DATABASE_POOL: '60', NODE_PORTS: '21400-21499', BACKUP_DIR: backups };
const run = (hook: string) => ({ run: [`./hooks/tiny/${hook}`] });
let oneNode: OneNode;
let gate: StepGate;
let next: Maker;

beforeAll(async () => {
  const hooks = { backup: run('backup'), restore: run('restore') };
  const folders = { config: {}, credentials: { path: '{{dir.data}}' } };
  oneNode = await openOneNode(
    [
      tiny('tiny', { hooks, monitor: { every: '1s' } }),
      { ...common('folders', [planOf('folders', 'small')], 'directory'), ...folders },
    ],
    {
      // It writes some of it, and the rest when nobody keeps it from it.
      'tiny/backup': 'printf begun-; while [ -e slow ]; do sleep 0.1; done; cat held',
      'tiny/restore': 'rm -f held; cat > held',
    },
  );
  next = await oneNode.start(env);
  gate = await openStepGate(oneNode.database);
});
afterAll(async () => {
  await gate.close();
  await oneNode.close();
});

function fileOf({ offering, id }: Pick<Case, 'offering' | 'id'>): string {
  const kind = join(oneNode.directory, offering === 'tiny' ? 'process' : 'directory');
  return join(kind, keyIn(kind, id), 'data', 'held');
}

async function make(one: Pick<Case, 'offering' | 'id'>): Promise<void> {
  const { status } = await next.provision(one.id, { offering: one.offering, plan: 'small' });
  expect(status).toBe(201);
  writeFileSync(fileOf(one), 'kept');
}

interface Listed {
  readonly id: string;
  readonly name: string;
}

async function backupsOf(id: string): Promise<readonly Listed[]> {
  return (await next.operate('GET', `/backups?instance=${id}`)).body['backups'] as readonly Listed[];
}

async function ended(id: string, kind: Deed) {
  return until(`the ${kind} of ${id} has ended`, async () => {
    const [operation] = (await next.details(id)).operations;
    return operation?.kind === kind && operation.state !== 'in progress' && operation;
  });
}

/** Begins what is asked for, however it is answered: the broker dies at it. */
function begin({ deed, id }: Case, kept: ReadonlyMap<string, string>): void {
  const path = deed === 'backup' ? `/instances/${id}/backups` : `/backups/${kept.get(id)}/restore`;
  void next.operate('POST', path, {}).catch(() => undefined);
}

beforeAll(async () => {
  const kept = new Map<string, string>();
  await Promise.all(cases.map(make));
  const toRestore = cases.filter(({ deed }) => deed === 'restore');
  await Promise.all(
    toRestore.map(async (one) => {
      await next.operate('POST', `/instances/${one.id}/backups`, {});
      await ended(one.id, 'backup');
      const [backup] = await backupsOf(one.id);
      kept.set(one.id, backup?.id ?? '');
      writeFileSync(fileOf(one), 'lost');
    }),
  );
  await gate.shut(cases);
  for (const one of cases) begin(one, kept);
  await gate.untilStopped(cases.length);
  await next.kill();
  await gate.open();
  next = await oneNode.start(env);
}, 600_000);

test.each(cases)(
  'Killed when step $number of a $deed of $offering, $step, was $fate: another broker ends it, once.',
  async (one) => {
    const { offering, deed, id } = one;
    const operation = await ended(id, deed);
    expect(operation).toMatchObject({ kind: deed, state: 'succeeded' });
    const taken = operation.timeline.map(({ step }) => step);
    expect(taken.at(-1)).toBe(steps[offering][deed].at(-1));
    const [backup, ...more] = await backupsOf(id);
    expect(more).toEqual([]);
    expect(existsSync(join(backups, backup?.name ?? ''))).toBe(true);
    const text = offering === 'tiny' && deed === 'restore' ? 'begun-kept' : 'kept';
    expect(readFileSync(fileOf(one), 'utf8')).toBe(text);
    const names = readdirSync(join(fileOf(one), '..', '..'));
    expect(names.filter((name) => ['restoring', 'replaced'].includes(name))).toEqual([]);
    if (offering === 'folders') return;
    await until('one process runs, which its node has seen', async () => {
      const [running, ...others] = processesOf(id);
      const { units } = await next.details(id);
      return others.length === 0 && running !== undefined && running === units[0]?.pid;
    });
  },
);

test('Killed while it writes, a broker leaves a part that is no backup, and that goes with the next one.', async () => {
  const one = { offering: 'tiny' as const, id: `tiny-writing-${process.pid}` };
  await make(one);
  const slow = join(fileOf(one), '..', 'slow');
  writeFileSync(slow, '');
  const before = readdirSync(backups);
  void next.operate('POST', `/instances/${one.id}/backups`, {}).catch(() => undefined);
  const parts = () => readdirSync(backups).filter((name) => !before.includes(name));
  await until('it has begun to write', async () => parts().length === 1);
  await next.kill();
  const [left] = parts();
  expect(left).toMatch(/\.partial$/);
  next = await oneNode.start(env);
  await until('the next one writes', async () => parts().some((name) => name !== left));
  writeFileSync(fileOf(one), 'later');
  expect(await backupsOf(one.id)).toEqual([]);
  rmSync(slow);
  await ended(one.id, 'backup');
  const [backup] = await backupsOf(one.id);
  expect(parts()).toEqual([backup?.name]);
});

test('In the end there lies nothing but what is listed, and it can be removed.', async () => {
  const { body } = await next.operate('GET', '/backups?limit=100');
  const listed = body['backups'] as readonly Listed[];
  expect(readdirSync(backups).toSorted()).toEqual(listed.map(({ name }) => name).toSorted());
  for (const { id } of listed) expect((await next.operate('DELETE', `/backups/${id}`)).status).toBe(200);
  expect(readdirSync(backups)).toEqual([]);
});
