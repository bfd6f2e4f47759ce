import { globSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createGroups } from '../../src/system/limits/groups.ts';

export default async function tearDown(): Promise<void> {
  const { scratch, embedded } = globalThis.testRun;
  await embedded?.stop();
  await removeGroups(scratch);
  rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
}

/** Of nodes whose broker was killed, or whose instances were left: the kernel's groups do not go with directories. */
async function removeGroups(scratch: string): Promise<void> {
  for (const file of globSync(join(scratch, '**', 'groups.json'))) {
    const bases = Object.values(JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>);
    const trees = bases.map((base) => ({
      base,
      controllers: [],
      door: 'tasks',
      isPrepared: false,
      settings: () => [],
      counters: {},
    }));
    const groups = createGroups(trees);
    for (const name of groups.list()) await groups.remove(name).catch(() => undefined);
    groups.close();
  }
}
