import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { endProcess } from '../../src/system/end-process.ts';
import { isShortage } from '../../src/system/error-code.ts';
import { type Launch, launch } from '../../src/system/launch.ts';
import { readStat } from '../../src/system/proc.ts';
import { identityOf, isAlive, type ProcessIdentity } from '../../src/system/process-identity.ts';
import type { Starter } from '../../src/system/starter/beginning.ts';
import { openStarter } from '../../src/system/starter/starter.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { until } from '../support/until.ts';

const path = '/usr/local/bin:/usr/bin:/bin';
const started: ProcessIdentity[] = [];
let starter: ReturnType<typeof openStarter>;
let directory: string;

beforeEach(() => {
  directory = scratchDirectory('starter');
});
afterEach(async () => {
  starter.close();
  for (const identity of started.splice(0)) await endProcess(identity, { termMs: 100, killMs: 5000 });
});

function given(...command: string[]): Launch {
  const files = { identityFile: join(directory, 'identity.json'), logFile: join(directory, 'log') };
  return { command, cwd: directory, env: { PATH: path, PURVEYOR_INSTANCE: 'i1' }, ...files };
}

async function start(...command: string[]): Promise<ProcessIdentity> {
  const identity = await launch({ path, start: starter.start }, given(...command));
  started.push(identity);
  return identity;
}

/** Who has begun it. */
function starterOf({ pid }: ProcessIdentity): ProcessIdentity {
  const parent = identityOf(readStat(pid)?.parent ?? 0);
  if (!parent) throw new Error('It has no parent any more.');
  return parent;
}

describe('What begins programs that outlive the broker', () => {
  test('One process begins them all, and ends with the broker; what it has begun goes on.', async () => {
    starter = openStarter();
    const programs = await Promise.all([start('sleep', '60'), start('sleep', '61'), start('sleep', '62')]);
    const [one, ...others] = programs.map(starterOf);
    if (!one) throw new Error('Nobody has begun it.');
    expect(one.pid).not.toBe(process.pid);
    expect(others).toEqual([one, one]);
    starter.close();
    await until('it has ended', () => !isAlive(one));
    expect(programs.map(isAlive)).toEqual([true, true, true]);
  });

  test('Where it was killed another one takes its place.', async () => {
    starter = openStarter();
    const before = await start('sleep', '60');
    const one = starterOf(before);
    process.kill(one.pid, 'SIGKILL');
    await until('it has ended', () => !isAlive(one));
    const after = await start('sleep', '60');
    expect([isAlive(before), isAlive(after)]).toEqual([true, true]);
    await until(
      'another one has begun it',
      async () => starterOf(await start('sleep', '60')).pid !== process.pid,
    );
  });

  test('Where it is killed before a program is let go, that never runs, is not recorded, and is tried again.', async () => {
    starter = openStarter();
    const one = starterOf(await start('sleep', '60'));
    const dying: Starter = async (it, log) => {
      const begun = await starter.start(it, log);
      return begun && { ...begun, open: () => void process.kill(one.pid, 'SIGKILL') };
    };
    const error: unknown = await launch({ path, start: dying }, given('touch', 'ran')).catch(
      (reason: unknown) => reason,
    );
    expect(isShortage(error)).toBe(true);
    expect(readdirSync(directory)).toEqual(['log']);
    expect(isAlive(await start('sleep', '60'))).toBe(true);
  });

  test('Where it does not answer the broker begins the program itself, once.', async () => {
    starter = openStarter(3000);
    const one = await until('it has begun a program', async () => {
      const found = starterOf(await start('sleep', '60'));
      return found.pid !== process.pid && found;
    });
    process.kill(one.pid, 'SIGSTOP');
    const program = await start('sh', '-c', 'echo begun; exec sleep 60');
    expect(starterOf(program).pid).toBe(process.pid);
    await until('it is ended', () => !isAlive(one));
    const said = () => readFileSync(join(directory, 'log'), 'utf8');
    await until('it says something', () => said() !== '');
    expect(said()).toBe('begun\n');
    expect(isAlive(program)).toBe(true);
  });
});
