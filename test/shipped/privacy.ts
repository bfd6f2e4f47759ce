import { existsSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { groupOf } from '../../src/system/end-process.ts';
import { codeOf } from '../../src/system/error-code.ts';
import { type ProcessIdentity, identityOf, isAlive } from '../../src/system/process-identity.ts';
import { listLaunched } from '../../src/provisioners/process/units/launched.ts';
import { commandLine } from '../support/process-list.ts';
import { address, type Bound, type Bought } from './shop.ts';

/**
 * S11: no secret of a binding was on any command line; nothing in the shape of a secret is on those of the instance, or
 * was on those that name it.
 */
export function expectNoSecrets(seen: readonly string[], instance: Bought, bindings: readonly Bound[]): void {
  for (const { credentials } of bindings) {
    for (const secret of [credentials['password'], credentials['uri']]) {
      if (secret !== undefined) expect(seen.filter((line) => line.includes(secret))).toEqual([]);
    }
  }
  const own = processesOf(instance).map(({ pid }) => commandLine(pid));
  expect(own).not.toEqual([]);
  const lines = [...own, ...seen.filter((line) => line.includes(instance.key))];
  expect(lines.filter((line) => /(?<!\w)\w{32}(?!\w)/.test(line))).toEqual([]);
}

/** S11: others on the machine can neither look into the directories of an instance nor list them. */
export function expectPrivate({ directory }: Bought): void {
  const { base, conf, data, log, run, state } = directory;
  const modeOf = (path: string) => statSync(path).mode & 0o777;
  expect([conf, data, log, run, state].map(modeOf)).toEqual([0o700, 0o700, 0o700, 0o700, 0o700]);
  expect(modeOf(base) & 0o067).toBe(0);
}

/** Deprovisions it; then there is no directory, nobody at its port, and no process of it any more. */
export async function returnWholly(instance: Bought, port: number): Promise<void> {
  const ours = processesOf(instance);
  expect([ours.length > 0, await reach(port)]).toEqual([true, 'open']);
  await instance.deprovision();
  expect(existsSync(instance.directory.base)).toBe(false);
  expect(await reach(port)).toBe('ECONNREFUSED');
  expect(ours.filter(isAlive)).toEqual([]);
}

/** The units, and all that they have started. */
export function processesOf({ directory, id }: Bought): readonly ProcessIdentity[] {
  return listLaunched(directory)
    .flatMap(({ identity }) => groupOf(identity, id))
    .map(identityOf)
    .filter((identity) => identity !== undefined);
}

/** 'open', or why it cannot be reached. */
function reach(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    socket.on('connect', () => {
      socket.destroy();
      resolve('open');
    });
    socket.on('error', (error) => resolve(codeOf(error)));
  });
}
