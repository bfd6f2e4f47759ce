import type { Made, SavedBytes, Step, Work } from '../broker/provisioner.ts';
import type { ServicePlan } from '../broker/catalog.ts';
import { callHook } from './hook-steps.ts';
import type { InstanceContext } from './instance-context.ts';
import { runSequence } from './step-sequence.ts';

/** Where the offering has a hook for it. */
export function canBy({ operating }: ServicePlan, deed: 'backup' | 'restore'): boolean {
  return Object.hasOwn(operating.hooks, deed);
}

/** Keeps what the hook writes to its standard output. */
export function backupByHook(context: InstanceContext): Promise<Step<Made>> {
  let saved: SavedBytes | undefined;
  const steps = {
    async backup({ tries }: { readonly tries: number }) {
      saved = await requireArchive(context.work).save(
        async (to) => void (await callHook(context, 'backup', tries, { to })),
      );
      return { to: 'end', did: 'backup' };
    },
  };
  return runSequence<Made>(steps, 'backup', context.work, () => ({ saved }));
}

/** Gives the hook what was kept, on its standard input. */
export async function giveToHook(context: InstanceContext, tries: number): Promise<void> {
  await requireArchive(context.work).load(
    async (from) => void (await callHook(context, 'restore', tries, { from })),
  );
}

export function restoreByHook(context: InstanceContext): Promise<Step<void>> {
  const steps = {
    async restore({ tries }: { readonly tries: number }) {
      await giveToHook(context, tries);
      return { to: 'end', did: 'restore' };
    },
  };
  return runSequence(steps, 'restore', context.work, () => undefined);
}

export function requireArchive({ archive }: Work): NonNullable<Work['archive']> {
  if (archive) return archive;
  throw new Error('There is no archive in this work.');
}
