import { auditEntry } from '../../broker/audit.ts';
import type { BrokerContext } from '../../broker/context.ts';
import type { Closing } from '../closing.ts';
import type { JsonObject } from '../../broker/json.ts';

/** A login that was refused. */
export interface TriedLogin {
  readonly protocol: string;
  /** As it may be shown. */
  readonly user: string;
  readonly address: string;
  readonly requestId: string;
}

export interface LoginAudit {
  /** Ends when it is written. Never rejects: who is refused is refused without a database, too. */
  refused(tried: TriedLogin): Promise<void>;
}

interface Repeated {
  readonly tried: Pick<TriedLogin, 'protocol'> & Partial<TriedLogin>;
  tries: number;
}

/** Milliseconds in which the same is written twice at most: when it comes first, and how often it came again. */
const spell = 60_000;
/** Different ones in a spell that are told apart; all others are counted together. */
const mostApart = 20;
/** Milliseconds that an answer waits for its entry. */
const patience = 2_000;

/**
 * Writes failed logins into the audit trail. However many there are, few rows are written.
 * @param closing writes what is counted and not yet written
 */
export function createLoginAudit(core: BrokerContext, closing: Closing): LoginAudit {
  const seen = new Map<string, Repeated>();
  let timer: NodeJS.Timeout | undefined;

  async function write({ user, address, ...tried }: Repeated['tried'], after?: JsonObject): Promise<void> {
    const entry = auditEntry(
      core,
      { ...tried, principal: user },
      { verb: 'login', object: { kind: 'login', id: user ?? 'others' }, outcome: 'refused', after },
    );
    try {
      await core.store.audit.record({ ...entry, confidential: { address } });
    } catch (error) {
      core.observe({ type: 'trouble', doing: 'writing the audit trail', detail: String(error) });
    }
  }

  async function endSpell(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const repeated = [...seen.values()].filter(({ tries }) => tries > 0);
    seen.clear();
    await Promise.all(repeated.map(({ tried, tries }) => write(tried, { tries })));
  }

  closing.add(endSpell);
  return {
    async refused(tried) {
      timer ??= setTimeout(() => void endSpell(), spell).unref();
      const { protocol, user, address } = tried;
      const key = JSON.stringify([protocol, user, address]);
      const before = seen.get(key) ?? (seen.size < mostApart ? undefined : others(seen, protocol));
      if (before) {
        before.tries += 1;
        return;
      }
      // The next one is of another request.
      seen.set(key, { tried: { protocol, user, address }, tries: 0 });
      await within(patience, write(tried, { tries: 1 }));
    },
  };
}

function others(seen: Map<string, Repeated>, protocol: string): Repeated {
  const key = JSON.stringify([protocol]);
  const own = seen.get(key) ?? { tried: { protocol }, tries: 0 };
  seen.set(key, own);
  return own;
}

async function within(ms: number, task: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms).unref();
  await Promise.race([task, promise]);
  clearTimeout(timer);
}
