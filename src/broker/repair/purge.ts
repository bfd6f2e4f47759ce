// Books alone: what an operator wants forgotten, whatever can be read of it, or done with it, any more.
import { type AuditEntry, auditEntry } from '../audit.ts';
import type { PurgeBinding, PurgeInstance } from '../commands.ts';
import { Refusal } from '../errors.ts';
import { type CommandSummary, summarize, tellEnd } from '../events.ts';
import { jsonOf } from '../json.ts';
import { instanceKey } from '../key.ts';
import { busy } from '../operations/intent.ts';
import type { OperationFailure, Origin } from '../records.ts';
import type { RequestContext } from '../requests/context.ts';
import { describeBindingState, describeState, requireUnprotected } from '../state.ts';
import type { Forgotten, Listed, ListedBinding } from '../listing.ts';
import { leftOfInstance } from './left.ts';

/** What is still there, in words for operators, of what the broker has forgotten. */
export interface Purged {
  readonly left: readonly string[];
}

/** Why an operation has failed of which the broker knows nothing more. */
const purged: OperationFailure = {
  word: 'purged',
  sentence: 'The operator of the broker has removed this from the books of the broker. Delete it.',
};

/** Decisions in a row that others may overtake before the operator is told to come again. */
export const mostDecisions = 50;

/**
 * Forgets an instance with its bindings and ends what is open on them; nothing is removed anywhere.
 * @param unreachable of what was to be removed by force: why that could not even be tried
 * @throws Refusal 'not-found', and 'invalid' as long as other instances need it
 */
export function purgeInstance(
  core: RequestContext,
  { instanceId, origin }: PurgeInstance,
  unreachable?: string,
): Promise<Purged> {
  const verb = unreachable === undefined ? 'purge' : 'force-delete';
  return telling(core, origin, { kind: verb, instanceId }, async () => {
    for (let tries = 0; tries < mostDecisions; tries += 1) {
      const listed = await findListed(core, instanceId);
      await requireUnneeded(core, instanceId);
      requireUnprotected(listed.instance, core.now());
      const found = await leftOfInstance(core, listed.instance);
      const left = unreachable === undefined ? found : [unreachable, ...found];
      const audit = auditEntry(core, origin, {
        verb,
        object: { kind: 'instance', instanceId },
        before: outlineOf(listed),
        after: jsonOf({ left }),
        outcome: 'succeeded',
      });
      const { version } = listed.instance;
      if (await forget(core, { instanceId, version }, audit)) return { left };
    }
    return busy();
  });
}

/**
 * Forgets one binding and ends what is open on it; its credentials are good for what they were good for.
 * @throws Refusal 'not-found', and 'conflict' when another instance has by it what it needs
 */
export function purgeBinding(
  core: RequestContext,
  { instanceId, bindingId, origin }: PurgeBinding,
): Promise<Purged> {
  return telling(core, origin, { kind: 'purge', instanceId, bindingId }, async () => {
    for (let tries = 0; tries < mostDecisions; tries += 1) {
      const { instance } = await findListed(core, instanceId);
      const bound = (await core.store.bindings(instanceId)).find(({ binding }) => binding.id === bindingId);
      if (!bound) throw new Refusal('not-found', 'The service instance has no binding with this id.');
      await requireFree(core, bound);
      const state = describeBindingState(bound, core.now());
      const audit = auditEntry(core, origin, {
        verb: 'purge',
        object: { kind: 'binding', instanceId, id: bindingId },
        before: jsonOf({ state, app_guid: bound.binding.appGuid, operation: bound.operation?.id }),
        outcome: 'succeeded',
      });
      if (await forget(core, { instanceId, bindingId, version: instance.version }, audit))
        return { left: ['its credentials, which stay good until the instance is gone'] };
    }
    return busy();
  });
}

function telling(
  { observe }: RequestContext,
  origin: Origin,
  summary: CommandSummary,
  carryOut: () => Promise<Purged>,
): Promise<Purged> {
  return tellEnd(observe, { origin, summary: () => summary }, carryOut);
}

/** False: somebody else has changed it meanwhile. */
async function forget(core: RequestContext, what: Forgotten, audit: AuditEntry): Promise<boolean> {
  const ended = await core.store.purge(what, purged, audit);
  for (const operation of ended ?? [])
    core.observe({ type: 'operation-cancelled', operation: summarize(operation), by: audit.id });
  return ended !== undefined;
}

/** Also one that cannot be read: of that everything is told but what is confidential. */
export async function findListed({ store }: RequestContext, instanceId: string): Promise<Listed> {
  const [listed] = await store.list({ instanceId, limit: 1 });
  if (listed) return listed;
  throw new Refusal('not-found', 'There is no service instance with this id.');
}

/** What others need stays, so that they do not hang in the air; a bind that failed holds nothing. */
async function requireUnneeded(core: RequestContext, instanceId: string): Promise<void> {
  const bound = await core.store.bindings(instanceId);
  const holding = bound.filter(({ binding, operation }) => binding.ready || operation !== undefined);
  const dependents = new Set(holding.flatMap(({ binding }) => binding.dependent ?? []));
  const there = await Promise.all([...dependents].map(async (id) => ((await isThere(core, id)) ? [id] : [])));
  const names = there
    .flat()
    .toSorted()
    .map((id) => `'${id}'`);
  if (names.length === 0) return;
  throw new Refusal(
    'invalid',
    `Other instances need this one, so it cannot be forgotten: ${names.join(', ')}.`,
  );
}

async function requireFree(core: RequestContext, { binding }: ListedBinding): Promise<void> {
  const { dependent } = binding;
  if (dependent === undefined || !(await isThere(core, dependent))) return;
  throw new Refusal(
    'conflict',
    `The service instance '${dependent}' needs this one by that binding, which goes when it is deleted.`,
  );
}

async function isThere({ store }: RequestContext, instanceId: string): Promise<boolean> {
  return (await store.list({ instanceId, limit: 1 })).length > 0;
}

function outlineOf({ instance, operation, bindings }: Listed): AuditEntry['before'] {
  const { offeringId, planId, place } = instance;
  return jsonOf({
    offering_id: offeringId,
    plan_id: planId,
    state: describeState({ instance, operation }),
    key: instanceKey(instance),
    node: place?.node,
    bindings,
    operation: operation?.id,
  });
}
