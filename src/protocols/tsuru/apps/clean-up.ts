import { Refusal } from '../../../broker/errors.ts';
import { unbindAll } from './bindings.ts';
import type { TsuruContext } from '../context.ts';

const everyMs = 60_000;
/** Where the database was away. */
const soonMs = 5_000;

/**
 * Removes bindings that a broker which died had begun to remove, or had made for nobody, and those whose removal has
 * failed: tsuru does not ask for it again.
 * @returns milliseconds until the next time
 */
export async function cleanUp(tsuru: TsuruContext): Promise<number> {
  try {
    for (const { instanceId, bindingId } of await tsuru.apps().abandoned())
      await unbindAll(tsuru, instanceId, [bindingId], { protocol: 'tsuru' }).catch((error: unknown) =>
        tsuru.warn(`An abandoned binding of ${instanceId} could not be removed: ${String(error)}`),
      );
    return everyMs;
  } catch (error) {
    if (!(error instanceof Refusal)) tsuru.warn(`There was no look for abandoned bindings: ${String(error)}`);
    return soonMs;
  }
}
