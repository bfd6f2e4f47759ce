import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ResourceLimits } from '../../src/broker/catalog.ts';
import { keyOf } from '../../src/broker/key.ts';
import { openLimits } from '../../src/system/limits/open-limits.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import {
  onEachNode,
  provision,
  provisioner,
  carry,
  scripts,
  testNode,
  update,
  workWith,
} from './command-scripts.ts';

onEachNode();

const place = scratchDirectory('limits');
const probe = await openLimits('limits-probe', place, join(place, 'groups.json'), false);
/** Where no control group can be made these are left out: they ask the kernel. */
const testGroups = probe.groups ? test : test.skip;
probe.groups?.close();

const limited = (limits: ResourceLimits, texts: Readonly<Record<string, string>> = {}) =>
  workWith({ hooks: scripts({ start: '', ...texts }), operating: { limits } });

/** The most processes that the group of the instance may have, and whether limits of before are kept aside. */
function kept() {
  const tree = testNode.node.keeper?.groups?.trees.find(({ controllers }) => controllers.includes('pids'));
  return readFileSync(join(tree?.base ?? '', keyOf('i1'), 'pids.max'), 'utf8').trim();
}

describe('The limits of a command instance', () => {
  testGroups(
    'The limits of the new plan count as soon as an update begins, also for what runs.',
    async () => {
      await provision(limited({ pids: 20 }));
      expect(kept()).toBe('20');
      await update(limited({ pids: 30 }));
      expect(kept()).toBe('30');
      await update(limited({}));
      expect(kept()).toBe('max');
    },
  );

  testGroups('An update that fails leaves the limits of before.', async () => {
    await provision(limited({ pids: 20 }));
    await expect(update(limited({ pids: 30 }, { update: 'exit 3' }))).rejects.toThrow('step update failed');
    expect(kept()).toBe('20');
    await update(limited({ pids: 40 }));
    await expect(update(limited({ pids: 50 }, { configure: 'exit 3' }))).rejects.toThrow('configure failed');
    expect(kept()).toBe('40');
  });

  testGroups(
    'An update that was broken off after the limits has changed nothing for the next start.',
    async () => {
      await provision(limited({ pids: 20 }));
      await provisioner.update?.(limited({ pids: 30 }, { update: '' }));
      expect(kept()).toBe('30');
      await expect(update(limited({ pids: 35 }, { update: 'exit 3' }))).rejects.toThrow('step update failed');
      expect(kept()).toBe('20');
      await provisioner.update?.(limited({ pids: 30 }, { update: '' }));
      await carry((work) => provisioner.units?.start?.(work), limited({ pids: 20 }));
      expect(kept()).toBe('20');
    },
  );

  testGroups(
    'An update to less memory than is in use is refused by a sentence and changes nothing.',
    async () => {
      const held =
        "(x=$(head -c 24000000 /dev/zero | tr '\\0' x); touch held; sleep 60; true) >/dev/null 2>&1 &";
      await provision(
        limited(
          { memory: 256 * 1024 * 1024, pids: 20 },
          { start: `${held} until [ -e held ]; do sleep 0.1; done` },
        ),
      );
      const less = update(limited({ memory: 4 * 1024 * 1024, pids: 30 }));
      if (testNode.node.keeper?.ways.memory === 'cgroup v1')
        await expect(less).rejects.toMatchObject({ word: 'over-limit', hints: { instanceUsable: true } });
      await less.catch(() => undefined);
      expect(kept()).toBe(testNode.node.keeper?.ways.memory === 'cgroup v1' ? '20' : '30');
    },
  );
});
