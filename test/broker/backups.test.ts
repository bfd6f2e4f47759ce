import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { Failure } from '../../src/broker/errors.ts';
import type { Provisioner, Work } from '../../src/broker/provisioner.ts';
import { directoryBackups } from '../../src/stores/backups/directory.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { until } from '../support/until.ts';
import { coreInMemory, scripted } from './core-in-memory.ts';
import { toProvision } from './fixtures.ts';

/** Backups as the core makes them, in a real directory, of a provisioner that says what a test tells it. */

const origin = { protocol: 'operator', principal: 'ops' };

function begin(save: (work: Work) => Readable, able = true) {
  const { provisioner } = scripted({});
  const restored: string[] = [];
  const holding: Provisioner = {
    ...provisioner,
    backups: {
      can: () => able,
      async backup(work) {
        const saved = await work.archive?.save((to) => pipeline(save(work), to));
        return { done: { saved }, did: { step: 'backup' } };
      },
      async restore(work) {
        await work.archive?.load(async (from) => void restored.push(await text(from)));
        return { done: undefined };
      },
    },
  };
  const core = coreInMemory(holding);
  const directory = scratchDirectory('backups');
  const make = () => core.broker({}, { backups: directoryBackups(directory) });
  return { core, directory, restored, make, ...make() };
}

function command(instanceId = toProvision().instanceId) {
  return { instanceId, origin, acceptsIncomplete: false };
}

test('A backup is made, listed and restored, into another instance too, and removed with its bytes', async () => {
  const { broker, directory, restored } = begin(() => Readable.from(['all', ' of it']));
  await broker.provision(toProvision());
  await broker.provision({ ...toProvision(), instanceId: 'other' });
  const { backup } = await broker.backUp(command());
  expect(backup).toMatchObject({
    instanceId: 'i1',
    stored: { size: 9, sha256: '07630777646b9ad0ad5940c20f7703e5ba431d90dc8f191af6916bffca3e859c' },
    protocol: 'operator',
    principal: 'ops',
  });
  const { id: backupId = '', name = '' } = backup ?? {};
  expect((await broker.listBackups({ limit: 10 })).backups).toEqual([backup]);
  expect(readFileSync(join(directory, name), 'utf8')).toBe('all of it');
  const restore = { backupId, origin, acceptsIncomplete: false };
  expect(await broker.restoreBackup(restore)).toMatchObject({ is: 'done' });
  expect(await broker.restoreBackup({ ...restore, into: 'other' })).toMatchObject({
    record: { id: 'other' },
  });
  expect(restored).toEqual(['all of it', 'all of it']);
  await broker.deleteBackup({ backupId, origin });
  expect(readdirSync(directory)).toEqual([]);
  await expect(broker.restoreBackup(restore)).rejects.toMatchObject({ code: 'not-found' });
  await expect(broker.deleteBackup({ backupId, origin })).rejects.toMatchObject({ code: 'not-found' });
});

test('A backup that breaks off is no backup: nothing is listed, and nothing of it is left', async () => {
  const { broker, directory } = begin(() =>
    Readable.from(
      (function* () {
        yield 'half';
        throw new Failure('hook', 'The service went away.');
      })(),
    ),
  );
  await broker.provision(toProvision());
  await expect(broker.backUp(command())).rejects.toMatchObject({ word: 'hook' });
  expect((await broker.listBackups({ limit: 10 })).backups).toEqual([]);
  expect(readdirSync(directory)).toEqual([]);
});

test('A backup that was changed where it lies is not restored, and one that is gone is told as such', async () => {
  const { broker, directory, restored } = begin(() => Readable.from(['all of it']));
  await broker.provision(toProvision());
  const { backup: { id: backupId, name } = { id: '', name: '' } } = await broker.backUp(command());
  const restore = { backupId, origin, acceptsIncomplete: false };
  writeFileSync(join(directory, name), 'all of iT');
  await expect(broker.restoreBackup(restore)).rejects.toMatchObject({ word: 'damaged' });
  await directoryBackups(directory).remove(name);
  await expect(broker.restoreBackup(restore)).rejects.toMatchObject({ word: 'gone' });
  expect(restored).toEqual([]);
});

test('A broker that takes over a backup removes what the one before it has left, and its own is the whole one', async () => {
  const { core, broker, directory, make } = begin(({ signal }) =>
    Readable.from(
      (async function* (): AsyncGenerator<string> {
        yield 'first ';
        if (core.passed() > 0) return;
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        throw new Error('It was given up.');
      })(),
    ),
  );
  await broker.provision(toProvision());
  const begun = await broker.backUp({ ...command(), acceptsIncomplete: true });
  expect(begun.outcome).toMatchObject({ is: 'accepted' });
  await until('something is written', async () => readdirSync(directory).length === 1);
  // As a broker that died has left it.
  writeFileSync(join(directory, `${readdirSync(directory)[0]}`), 'first');
  core.pass(60_000);
  const other = make();
  await until('it is taken over', async () => {
    await other.work.tick();
    return (await broker.listBackups({ limit: 10 })).backups.length === 1;
  });
  const { backups } = await broker.listBackups({ limit: 10 });
  expect(readdirSync(directory)).toEqual([backups[0]?.name]);
});

test('A backup is refused where no offering says how, where there is no place for it, and of what is not there', async () => {
  const { core, broker } = begin(() => Readable.from([]), false);
  await broker.provision(toProvision());
  await expect(broker.backUp(command())).rejects.toMatchObject({ code: 'unsupported' });
  await expect(core.broker().broker.backUp(command())).rejects.toThrow('BACKUP_DIR is not set');
  await expect(broker.backUp(command('none'))).rejects.toMatchObject({ code: 'not-found' });
});
