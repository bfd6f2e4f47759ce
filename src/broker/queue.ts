import type { RequestContext } from './requests/context.ts';
import type { OperationSummary } from './events.ts';
import type { ExpiredBinding, Hint } from './store.ts';
import { longestSleep } from './timing.ts';
import { removeKept } from './repair/remove-instance.ts';
import { expire } from './requests/unbind.ts';

/** The side of the core that a worker drives. */
export interface OperationQueue {
  /** Takes up one due operation, or says how long there is nothing to do; `ended` never rejects. */
  take(): Promise<{ readonly ended: Promise<unknown> } | { readonly sleepMs: number }>;
  /** Takes one turn and waits for it: for tests and one-shot programs. Milliseconds until there is more. */
  tick(): Promise<number>;
  /** To be called with every hint of the store. */
  onHint(hint: Hint): void;
  /** Ends when nothing runs here any more, neither taken up nor begun by a request. */
  rest(): Promise<void>;
  handOver(): Promise<void>;
  /** What runs here now, by whomever it was begun. */
  inHand(): readonly OperationSummary[];
}

/** Milliseconds between two looks for bindings whose time is over, however much else is due. */
const lookEvery = 1000;
/** Milliseconds between two clearings of the history. */
const pruneEvery = 3_600_000;
/** Milliseconds between two looks while others are just taking what is due. */
const shortestSleep = 20;
/** Milliseconds before a binding that could not be revoked is tried again. */
const revokeAgainAfter = 300_000;

export function createOperationQueue(core: RequestContext): OperationQueue {
  const { engine } = core;
  let nextLook = 0;
  let nextPrune = 0;
  /** When the revoking of a binding was begun, for as long as it is not to be begun again. */
  const revoked = new Map<string, number>();
  /** The same of the removal of an instance that was kept long enough. */
  const tried = new Map<string, number>();

  async function take(): ReturnType<OperationQueue['take']> {
    const taken = (await lookAfter(core.uptime())) ?? (await engine.take());
    if (taken) return taken;
    const due = (await core.store.nextDue(core.settings.node)) ?? longestSleep;
    return { sleepMs: Math.min(Math.max(due, shortestSleep), longestSleep) };
  }

  /** What nobody has asked for: history is cleared, and bindings are revoked as long as there are any. */
  async function lookAfter(now: number): Promise<{ ended: Promise<void> } | undefined> {
    if (now < nextLook) return undefined;
    if (now >= nextPrune) {
      nextPrune = now + pruneEvery;
      await core.store.prune(core.settings.retention);
      await pruneAudit(core);
    }
    const expired = await findExpired(now);
    if (expired) return { ended: revoke(expired) };
    const [over] = (await core.store.keptEnough(tried.size + 1)).filter((id) => !tried.has(id));
    if (over !== undefined) return { ended: removeOver(over, now) };
    nextLook = now + lookEvery;
    return undefined;
  }

  /** One that cannot be revoked must not stop the others, nor be tried without end. */
  async function findExpired(now: number): Promise<ExpiredBinding | undefined> {
    for (const begun of [revoked, tried])
      for (const [key, at] of begun) if (at <= now - revokeAgainAfter) begun.delete(key);
    const expired = await core.store.expired(revoked.size + 1);
    const next = expired.find((binding) => !revoked.has(keyOf(binding)));
    if (next) revoked.set(keyOf(next), now);
    return next;
  }

  async function removeOver(instanceId: string, now: number): Promise<void> {
    tried.set(instanceId, now);
    await removeKept(core, instanceId).catch((error: unknown) =>
      core.observe({ type: 'trouble', doing: `removing the deleted ${instanceId}`, detail: String(error) }),
    );
  }

  async function revoke(binding: ExpiredBinding): Promise<void> {
    const { instanceId, id: bindingId } = binding;
    core.observe({ type: 'binding-expired', instanceId, bindingId });
    await expire(core, binding).catch((error: unknown) =>
      core.observe({ type: 'trouble', doing: `revoking binding ${bindingId}`, detail: String(error) }),
    );
  }

  return {
    take,
    async tick() {
      const taken = await take();
      if ('sleepMs' in taken) return taken.sleepMs;
      await taken.ended;
      return 0;
    },
    onHint: (hint) => engine.onHint(hint),
    rest: () => engine.rest(),
    handOver: () => engine.handOver(),
    inHand: () => engine.inHand(),
  };
}

/** Rows of the audit trail that are forgotten at once: each batch is a short transaction. */
const auditBatch = 1000;

async function pruneAudit({ store, settings: { auditHistory } }: RequestContext): Promise<void> {
  if (auditHistory === undefined) return;
  while ((await store.audit.prune(auditHistory, auditBatch)) === auditBatch);
}

/** The same id may be given again. */
function keyOf({ instanceId, id, expiresAt }: ExpiredBinding): string {
  return JSON.stringify([instanceId, id, expiresAt]);
}
