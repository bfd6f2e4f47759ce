import { unbindAll } from './bindings.ts';
import type { TsuruContext } from '../context.ts';

const everyMs = 60_000;

/**
 * Removes bindings that a broker which died had begun to remove, or had made for nobody. There is nobody here who
 * would do it by the clock: requests give the occasion, at most one a minute, and none waits for it.
 */
export function createCleaning(tsuru: TsuruContext, now: () => number = () => performance.now()): () => void {
  let last = -Infinity;
  return function clean() {
    if (now() - last < everyMs) return;
    last = now();
    void removeAbandoned(tsuru).catch((error: unknown) =>
      tsuru.warn(`Abandoned bindings could not be removed: ${String(error)}`),
    );
  };
}

/** Gives how many there were. */
export async function removeAbandoned(tsuru: TsuruContext): Promise<number> {
  const abandoned = await tsuru.apps().abandoned();
  for (const { instanceId, bindingId } of abandoned) {
    await unbindAll(tsuru, instanceId, [bindingId], { protocol: 'tsuru' });
  }
  return abandoned.length;
}
