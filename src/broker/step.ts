import type { ServicePlan } from './catalog.ts';
import type { Deps } from './deps.ts';
import { Failure } from './errors.ts';
import type { Json } from './json.ts';
import type { Made, Provisioner, Step, Work } from './provisioner.ts';
import type { OperationFailure, ServiceBinding } from './records.ts';
import type { Held, Settlement } from './store.ts';
import { settlementOf } from './settlement.ts';
import { mask, valuesOf } from './values.ts';

/** What one step of an operation came to. */
export type Verdict =
  | { readonly settle: Settlement }
  | { readonly again: { readonly afterMs: number; readonly memo: Json; readonly note?: string } }
  /** A binding that was left over at a deprovision is gone; the deprovision goes on. */
  | { readonly unbound: ServiceBinding }
  | { readonly failed: OperationFailure }
  | { readonly retry: string };

/** Takes one step of a held operation. Never throws: what goes wrong is a verdict too, with secrets masked. */
export async function takeStep(
  deps: Deps,
  plan: ServicePlan,
  held: Held,
  signal: AbortSignal,
): Promise<Verdict> {
  let subject = held;
  try {
    const provisioner = deps.provisioner(plan.making.provisioner);
    const leftOver = await findLeftOver(deps, provisioner, held);
    // From here on its secrets, too, may stand in what is said.
    if (leftOver) subject = { ...held, binding: leftOver };
    const work = workOf(plan, subject, signal, deps.settings.url);
    const step = await call(provisioner, leftOver ? 'unbind' : deedOf(held), work);
    if ('again' in step) return { again: discreet(step.again, subject) };
    if (leftOver) return { unbound: leftOver };
    return { settle: settlementOf(held, plan, step.done ?? {}, deps) };
  } catch (error) {
    return judge(error, subject);
  }
}

type Again = Extract<Verdict, { again: unknown }>['again'];

/** The note is for users; the memo stays confidential. */
function discreet({ note, ...again }: Again, subject: Held): Again {
  return note === undefined ? again : { ...again, note: mask(note, subject) };
}

/** An open operation that has failed is being undone: by the opposite deed. */
function deedOf({ operation: { kind, failure } }: Held): Held['operation']['kind'] {
  if (!failure) return kind;
  return kind === 'bind' ? 'unbind' : 'deprovision';
}

/** Bindings that the platform left behind are unbound first: what they made may lie outside the instance. */
async function findLeftOver(
  { store }: Deps,
  provisioner: Provisioner,
  held: Held,
): Promise<ServiceBinding | undefined> {
  const mayLieOutside = provisioner.unbind && !provisioner.traits.selfContained;
  if (held.operation.kind !== 'deprovision' || !mayLieOutside) return undefined;
  return store.leftBinding(held.instance.id);
}

function workOf(
  plan: ServicePlan,
  { operation, instance, binding }: Held,
  signal: AbortSignal,
  url: string,
): Work {
  const { memo, trace, target } = operation.confidential;
  const shall = target ?? instance;
  return {
    operationId: operation.id,
    ...(memo === undefined ? {} : { memo }),
    ...(trace === undefined ? {} : { trace }),
    instance: shall,
    ...(target ? { previous: instance } : {}),
    ...(binding ? { binding } : {}),
    plan,
    values: valuesOf(plan, shall, binding, url),
    signal,
  };
}

async function call(
  provisioner: Provisioner,
  deed: keyof Provisioner,
  work: Work,
): Promise<Step<Made | void>> {
  switch (deed) {
    case 'provision':
      return provisioner.provision(work);
    case 'deprovision':
      return provisioner.deprovision(work);
    case 'update':
    case 'bind':
    case 'unbind':
      // Without the capability there is nothing that could have been made, or is to be removed.
      return (await provisioner[deed]?.(work)) ?? { done: undefined };
    default:
      throw new Error(`No provisioner method '${deed}'`);
  }
}

function judge(error: unknown, held: Held): Verdict {
  if (!(error instanceof Failure)) return { retry: mask(describe(error), held) };
  const { word, message, hints } = error;
  const detail = hints.detail === undefined ? {} : { detail: mask(hints.detail, held) };
  return { failed: { ...hints, word, sentence: mask(message, held), ...detail } };
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
