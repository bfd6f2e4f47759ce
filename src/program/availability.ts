import type { Runtime } from './runtime.ts';
import { Refusal } from '../broker/errors.ts';
import type { Readiness } from '../protocols/health/index.ts';
import type { KeyState } from '../stores/postgres/keys.ts';
import { endsWithin } from '../broker/timing.ts';

/** Whether requests can be served: not yet, now, or soon no more. */
export interface Availability {
  open(foundation: Runtime): void;
  /** From now on it is not ready; what still comes is served. */
  close(): void;
  /** Undefined until it is open. */
  readonly found: () => Runtime | undefined;
  /** Refuses with unavailable until it is open. */
  readonly requireFoundation: () => Runtime;
  readonly readiness: () => Promise<Readiness>;
}

/** Milliseconds that the database has to answer a probe. */
const probeTime = 2_000;

/** @param obstacle why it is not open at first, as a clause: 'the database is starting' */
export function createAvailability(obstacle: string): Availability {
  let open: Runtime | undefined;
  let reason: string | undefined = obstacle;
  return {
    open(foundation) {
      open = foundation;
      reason = undefined;
    },
    close() {
      reason = 'it is shutting down';
    },
    found: () => open,
    requireFoundation() {
      if (open) return open;
      throw new Refusal('unavailable', `The service broker cannot serve now: ${reason}. Try again later.`);
    },
    async readiness() {
      if (reason || !open) return { ready: false, reason: reason ?? obstacle };
      if (!(await answers(open))) return { ready: false, reason: 'its database cannot be reached' };
      return keyReadiness(open.keys());
    },
  };
}

/** Who lacks a key cannot serve all that there is; who has one that others lack serves it, and tells. */
function keyReadiness({ writes, behind, missing }: KeyState): Readiness {
  if (missing.length > 0) {
    const keys = missing.map((id) => `'${id}'`).join(', ');
    return { ready: false, reason: `it lacks encryption keys that its database needs: ${keys}` };
  }
  if (behind.length === 0) return { ready: true };
  const lack = behind.length === 1 ? '1 broker lacks' : `${behind.length} brokers lack`;
  return { ready: true, note: `It writes with the encryption key '${writes}', since ${lack} its first one.` };
}

function answers({ store }: Runtime): Promise<boolean> {
  return endsWithin(probeTime, store.ping()).catch(() => false);
}
