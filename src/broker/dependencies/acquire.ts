// Offerings that an instance needs: each is an instance of its own, its child, or a shared one. Either is held by a
// binding whose credentials the instance is given, and which keeps the other from being deleted.
import { lostWord } from '../state.ts';
import { bind } from '../requests/bind.ts';
import type { Dependency, ServicePlan } from '../catalog.ts';
import type { RequestContext } from '../requests/context.ts';
import { Failure, passing, Refusal } from '../errors.ts';
import { releaseDependencies } from './release.ts';
import type { JsonObject } from '../json.ts';
import {
  type Dependent,
  dependentOf,
  dependenciesOf,
  formerLife,
  type DependencyIds,
  dependencyIds,
  isDedicated,
  withDependencies,
  withDependencyFact,
} from './ids.ts';
import type { Dependencies } from '../operations/dependencies-port.ts';
import { startStop } from '../requests/start-stop.ts';
import type { Outcome } from '../outcome.ts';
import { provision } from '../requests/provision.ts';
import type { Operation, ServiceInstance } from '../records.ts';
import { render } from '../template.ts';
import { templateValues } from '../template-values.ts';

/** @param core is asked only when something is needed: the engine is part of it and is given this */
export function createDependencies(core: () => RequestContext): Dependencies {
  return {
    async acquire(held, plan) {
      const asked = dependentOf(held);
      if (!(await leaveFormer(core(), asked, plan))) return undefined;
      const deps: Record<string, JsonObject> = {};
      for (const [name, need] of Object.entries(plan.operating.dependencies)) {
        const credentials = await acquireOne(core(), asked, plan, name, need, deps);
        if (!credentials) return undefined;
        deps[name] = credentials;
      }
      return withDependencies(held, deps);
    },
    async find(held, plan) {
      const needs = Object.entries(plan.operating.dependencies);
      if (needs.length === 0 || dependenciesOf(held.instance)) return held;
      const deps: Record<string, JsonObject> = {};
      for (const [name, need] of needs) {
        const { instanceId, bindingId } = dependencyIds(held.instance, name, need);
        const { binding } = await core().store.findBinding(instanceId, bindingId);
        if (binding?.ready) deps[name] = binding.confidential.answer.credentials ?? {};
      }
      return withDependencies(held, deps);
    },
    async release(held, plan) {
      const asked = dependentOf(held);
      return (await leaveFormer(core(), asked, plan)) && releaseDependencies(core(), asked, plan);
    },
    async releaseUnused(held, target) {
      const present = await core().planOf(held.instance);
      const [left, kept] = held.operation.failure ? [target, present] : [present, target];
      return releaseDependencies(core(), dependentOf(held), left, kept);
    },
    async startStop(held, plan, kind) {
      const own = Object.entries(plan.operating.dependencies).filter(([, need]) => isDedicated(need));
      for (const [name, need] of kind === 'start' ? own : own.toReversed()) {
        if (!(await startStopOne(core(), dependentOf(held), name, need, kind))) return false;
      }
      return true;
    },
  };
}

/** What a life that was lost still holds of others goes: nobody may use its credentials for them any more. */
async function leaveFormer(core: RequestContext, asked: Dependent, plan: ServicePlan): Promise<boolean> {
  const instance = formerLife(asked.instance);
  return instance === undefined || releaseDependencies(core, { ...asked, instance }, plan);
}

/** @param deps what is there of the needs before this one: its parameters may be made from them */
async function acquireOne(
  core: RequestContext,
  asked: Dependent,
  plan: ServicePlan,
  name: string,
  need: Dependency,
  deps: JsonObject,
): Promise<JsonObject | undefined> {
  const ids = dependencyIds(asked.instance, name, need);
  const { found, binding, operation } = await core.store.findBinding(ids.instanceId, ids.bindingId);
  if (binding?.ready && !operation) return binding.confidential.answer.credentials ?? {};
  if (found?.operation || operation) return undefined;
  if (!found?.instance.ready) {
    const instance = withDependencyFact(asked.instance, deps);
    if (!(await make(core, { ...asked, instance }, plan, need, ids))) return undefined;
  }
  // It was bound in vain.
  if (binding) await requireNotFailed(core, need, ids);
  const bound = await carriedOut(need, () => bind(core, bindingFor(asked, ids)));
  return bound && (bound.confidential.answer.credentials ?? {});
}

async function make(
  core: RequestContext,
  asked: Dependent,
  plan: ServicePlan,
  need: Dependency,
  { instanceId }: DependencyIds,
): Promise<ServiceInstance | undefined> {
  const { offeringId, planId } = requireNeeded(core, need);
  await requireNotFailed(core, need, { instanceId });
  const { origin, within } = asked;
  const { organizationGuid, spaceGuid, context, id: parent } = asked.instance;
  const values = templateValues(plan, asked.instance, undefined, core.settings.url);
  return carriedOut(need, () =>
    provision(core, {
      instanceId,
      offeringId,
      planId,
      parameters: render(need.parameters, values) as JsonObject,
      organizationGuid,
      spaceGuid,
      context,
      parent,
      acceptsIncomplete: true,
      origin,
      within,
    }),
  );
}

function requireNeeded(core: RequestContext, need: Dependency): { offeringId: string; planId: string } {
  if (!isDedicated(need)) throw unmet(need, `There is no instance '${need.instance}' that could be used.`);
  const offering = core.catalog().offerings.find(({ name }) => name === need.offering);
  const plan = offering?.plans.find(({ name }) => name === need.plan);
  if (offering && plan) return { offeringId: offering.id, planId: plan.id };
  throw unmet(need, 'It is not in the catalog.');
}

/** What failed while nobody waited for it here. */
async function requireNotFailed(
  core: RequestContext,
  need: Dependency,
  ids: Partial<DependencyIds> & Pick<DependencyIds, 'instanceId'>,
) {
  const { operation, exists } = await core.store.lastOperation(ids);
  // What failed only since its node was given up is to be made anew.
  if (exists && operation?.state === 'failed' && operation.failure?.word !== lostWord)
    throw unmet(need, operation.failure?.sentence);
}

function bindingFor({ instance, origin, within }: Dependent, ids: DependencyIds): Parameters<typeof bind>[1] {
  const { context, id: dependent } = instance;
  return { ...ids, parameters: {}, context, dependent, acceptsIncomplete: true, origin, within };
}

/** The record, or undefined while it is being made. What refuses or fails is told of the one that needs it. */
async function carriedOut<Rec>(
  need: Dependency,
  ask: () => Promise<Outcome<Rec>>,
  tell = unmet,
): Promise<Rec | undefined> {
  try {
    const outcome = await ask();
    return outcome.is === 'done' || outcome.is === 'unchanged' ? outcome.record : undefined;
  } catch (error) {
    if (error instanceof Refusal && passing.has(error.code)) return undefined;
    if (error instanceof Refusal || error instanceof Failure) throw tell(need, error.message);
    throw error;
  }
}

function unmet({ offering }: Dependency, why = 'It failed.'): Failure {
  return new Failure('need', `The service needs ${offering}, which could not be had. ${why}`);
}

async function startStopOne(
  core: RequestContext,
  asked: Dependent,
  name: string,
  need: Dependency,
  kind: 'start' | 'stop',
): Promise<boolean> {
  const { instanceId } = dependencyIds(asked.instance, name, need);
  const found = await core.store.findInstance(instanceId);
  if (!found || (!found.operation && (found.instance.stopped ?? false) === (kind === 'stop'))) return true;
  if (found.operation) return false;
  const plan = await core.planOf(found.instance);
  if (!core.provisioner(plan.making.provisioner).units?.[kind]) return true;
  const { origin, within } = asked;
  const tell = (_: Dependency, why = 'It failed.') => inVain(need, kind, why);
  const failed = await findFailed(core, asked, instanceId, kind);
  if (failed) throw tell(need, failed.failure?.sentence);
  const command = { instanceId, acceptsIncomplete: true, origin, within };
  return (await carriedOut(need, () => startStop(core, command, kind), tell)) !== undefined;
}

/** What was asked for by the operation that is asking now, and has failed while nobody waited for it here. */
async function findFailed(
  { store }: RequestContext,
  { instance, within }: Dependent,
  instanceId: string,
  kind: 'start' | 'stop',
): Promise<Operation | undefined> {
  const last = (await store.history(instanceId, 10)).find((one) => one.kind === kind);
  if (last?.state !== 'failed') return undefined;
  // Both as they are written down, for the clocks of brokers need not agree.
  const { operation } = await store.lastOperation({ instanceId: instance.id, operationId: within.id });
  return operation && last.createdAt >= operation.createdAt ? last : undefined;
}

function inVain({ offering }: Dependency, kind: 'start' | 'stop', why: string): Failure {
  const done = kind === 'start' ? 'started' : 'stopped';
  return new Failure('need', `The service needs ${offering}, which could not be ${done}. ${why}`);
}
