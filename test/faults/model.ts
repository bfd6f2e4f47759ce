// What a broker must answer, in as few words as possible: a model to hold two real ones against.
import type { Kind } from './offering.ts';
import type { Asked, Binding, Instance, Last, Plan, ModelState } from './model-state.ts';

/**
 * Takes the request into the model.
 * @returns status and error word (or state, of a poll); undefined for a request that would wait for something slow
 */
export function answerTo(model: ModelState, asked: Asked): string | undefined {
  switch (asked.what) {
    case 'provision':
      return provision(model, asked);
    case 'update':
      return update(model, asked);
    case 'deprovision':
      return deprovision(model, asked);
    case 'bind':
      return bind(model, asked);
    case 'unbind':
      return unbind(model, asked);
    default:
      return look(model, asked);
  }
}

const busy = '422 ConcurrencyError';
const wrong = '400 BadRequest';
const failure = '500 OperationFailed';
const asyncRequired = '422 AsyncRequired';

function provision(model: ModelState, { id, plan, size, later }: Asked): string | undefined {
  const there = model.instances.get(id);
  if (!plan) return undefined;
  if (there && (there.plan !== plan || there.size !== size)) return '409 Conflict';
  if (there?.open) return there.open.kind !== 'provision' ? busy : later ? '202' : undefined;
  if (there?.ready) return '200';
  if (there && later && isUntold(model, id, 'provision')) return '202';
  if (!plan.known || isWrong(plan, size)) return wrong;
  if (plan.slow && !later) return asyncRequired;
  const instance: Instance = {
    plan,
    size,
    ready: false,
    bindings: new Map(),
    failed: new Set(),
    former: new Set(),
  };
  model.instances.set(id, instance);
  return begin(model, { subject: instance, key: id, kind: 'provision', plan, done: '201', later }, () => {
    instance.ready = true;
  });
}

function update(model: ModelState, { id, plan, size, later }: Asked): string | undefined {
  const there = model.instances.get(id);
  if (!there) return '404 NotFound';
  if (plan && plan.service_id !== there.plan.service_id) return wrong;
  if (!there.ready && !there.open) return wrong;
  const request = JSON.stringify([plan?.plan_id, size]);
  if (there.open?.kind === 'update' && there.open.request === request) return later ? '202' : undefined;
  if (there.open || isBusy(there)) return busy;
  const target = plan ?? there.plan;
  if (target !== there.plan && !target.known) return wrong;
  if (target !== there.plan && !there.plan.updateable) return '422';
  if (isWrong(target, size)) return wrong;
  const merged = size ?? there.size;
  if (target === there.plan && merged === there.size) return '200';
  if (target.slow && !later) return asyncRequired;
  if (target !== there.plan) for (const one of [target, there.plan]) there.former.add(one);
  const operation = { subject: there, key: id, kind: 'update', plan: target, done: '200', later } as const;
  return begin(model, { ...operation, request }, () => {
    there.plan = target;
    there.size = merged;
  });
}

function deprovision(model: ModelState, { id, plan, later }: Asked): string | undefined {
  const there = model.instances.get(id);
  if (!there) return '410';
  if (plan && !isOwn(there, plan)) return wrong;
  if (there.open?.kind === 'deprovision') return later ? '202' : undefined;
  if (there.open?.kind === 'update' || isBusy(there)) return busy;
  if (!there.open && later && isUntold(model, id, 'deprovision')) return '202';
  if (there.plan.slow && !later) return asyncRequired;
  const operation = {
    subject: there,
    key: id,
    kind: 'deprovision',
    plan: there.plan,
    done: '200',
    later,
  } as const;
  // What is left bound is unbound first; an unbind that fails does not keep it.
  if (there.bindings.size > 0) failsNow(there, 'unbind');
  if (!there.plan.slow) there.bindings.clear();
  if (failsNow(there, 'deprovision')) return fail(model, operation);
  return begin(model, operation, () => model.instances.delete(id));
}

function bind(model: ModelState, { id, binding: name, plan, app, later }: Asked): string | undefined {
  const there = model.instances.get(id);
  if (!there) return '404 NotFound';
  if (there.open) return busy;
  if (!there.ready) return wrong;
  const known = there.bindings.get(name);
  const other = plan !== undefined && plan !== there.plan;
  if (known && ((plan && !isOwn(there, plan)) || known.app !== app)) return '409 Conflict';
  if (known?.open) return known.open.kind !== 'bind' ? busy : later ? '202' : undefined;
  if (known?.ready) return '200';
  if (known && later && isUntold(model, `${id}/${name}`, 'bind')) return '202';
  if (other) return wrong;
  if (there.plan.slow && !later) return asyncRequired;
  const binding: Binding = { app, ready: false };
  there.bindings.set(name, binding);
  return begin(
    model,
    { subject: binding, key: `${id}/${name}`, kind: 'bind', plan: there.plan, done: '201', later },
    () => {
      binding.ready = true;
    },
  );
}

function unbind(model: ModelState, { id, binding: name, plan, later }: Asked): string | undefined {
  const there = model.instances.get(id);
  const binding = there?.bindings.get(name);
  if (!there || !binding) return '410';
  if (plan && !isOwn(there, plan)) return wrong;
  if (binding.open?.kind === 'unbind') return later ? '202' : undefined;
  if (there.open) return busy;
  const key = `${id}/${name}`;
  if (!binding.open && later && isUntold(model, key, 'unbind')) return '202';
  if (there.plan.slow && !later) return asyncRequired;
  const operation = { subject: binding, key, kind: 'unbind', plan: there.plan, done: '200', later } as const;
  if (failsNow(there, 'unbind')) return fail(model, operation);
  return begin(model, operation, () => there.bindings.delete(name));
}

function look({ instances, last }: ModelState, { what, id, binding: name }: Asked): string {
  const there = instances.get(id);
  const binding = there?.bindings.get(name);
  switch (what) {
    case 'fetch':
      if (!there?.ready) return '404 NotFound';
      return there.open?.kind === 'update' ? busy : `200 ${there.plan.plan_id} ${there.size ?? ''}`.trim();
    case 'fetch binding':
      return binding?.ready ? '200' : '404 NotFound';
    case 'poll':
      return stateOf(last.get(id), there !== undefined);
    default:
      return stateOf(last.get(`${id}/${name}`), binding !== undefined);
  }
}

/** Of what was deleted it is known, of what never was it is not. */
function stateOf(operation: Last | undefined, exists: boolean): string {
  if (!operation) return '404 NotFound';
  operation.untold = false;
  const removal = operation.kind === 'deprovision' || operation.kind === 'unbind';
  return operation.state === 'succeeded' && (removal || !exists) ? '410' : `200 ${operation.state}`;
}

interface Operation {
  readonly subject: Instance | Binding;
  /** As `last` has it. */
  readonly key: string;
  readonly kind: Kind;
  readonly plan: Plan;
  /** The answer when it is over. */
  readonly done: string;
  /** May it be told later? */
  readonly later: boolean;
  readonly request?: string;
}

function begin(model: ModelState, operation: Operation, change: () => void): string {
  const { subject, key, kind, plan, done, request = '' } = operation;
  if (plan.fails === kind) return fail(model, operation);
  const last: Last = { kind, state: 'in progress' };
  model.last.set(key, last);
  subject.open = {
    kind,
    request,
    end() {
      subject.open = undefined;
      last.state = 'succeeded';
      change();
    },
  };
  if (plan.slow) return '202';
  subject.open.end();
  return done;
}

function fail({ last }: ModelState, { key, kind, later }: Operation): string {
  last.set(key, { kind, state: 'failed', untold: later });
  return later ? '202' : failure;
}

/** Is the last that was done with it a failure that nobody has been told yet? */
function isUntold({ last }: ModelState, key: string, kind: Kind): boolean {
  const one = last.get(key);
  return one?.kind === kind && one.state === 'failed' && one.untold === true;
}

/** Platforms go on naming a plan from before when they have lost the answer to a change. */
function isOwn({ plan, former }: Instance, asked: Plan): boolean {
  return asked === plan || former.has(asked);
}

function failsNow({ plan, failed }: Instance, kind: Kind): boolean {
  if (plan.failsFirst !== kind || failed.has(kind)) return false;
  failed.add(kind);
  return true;
}

function isWrong({ sized }: Plan, size: number | undefined): boolean {
  return size !== undefined && (!sized || size < 1 || size > 10);
}

function isBusy({ bindings }: Instance): boolean {
  return [...bindings.values()].some(({ open }) => open);
}
