import { Failure } from '../../../broker/errors.ts';
import type { Step, Work } from '../../../broker/provisioner.ts';
import { type Attempt, type NamedSteps, type Next, runSequence } from '../../../node/step-sequence.ts';
import { type ClusterContext, contextOf, type KubernetesSettings } from '../context.ts';
import { configOf, kindsOf } from '../form/config.ts';
import { applyDrawn } from '../objects/apply.ts';
import { asking, later, pauseAfter } from '../objects/asking.ts';
import { type DrawnObject, drawAll } from '../objects/draw.ts';
import { restartAnnotation } from '../objects/labels.ts';
import { awaitedOf, lookAt } from '../objects/look.ts';
import { widenParent } from '../objects/parent.ts';
import { plainText } from '../objects/plain-text.ts';
import { makeSpace } from '../objects/space.ts';
import { begin } from './begin.ts';
import { type DrawingOf, makingSteps, requireReady } from './make.ts';

/** Makes pods again for the units that are named, or all; what somebody has taken away is made again too. */
export function start(settings: KubernetesSettings, work: Work): Promise<Step<void>> {
  return runSequence(startingSteps(settings, work, 'end'), 'check', work, () => undefined);
}

/** Puts the units that are named, or all, at rest: the last wave first. */
export function stop(settings: KubernetesSettings, work: Work): Promise<Step<void>> {
  requireUnits(work);
  const contextAt = (attempt: Attempt) => contextOf(settings, attempt);
  const steps: NamedSteps = {
    check: (attempt) => begin(settings, attempt, 'stop'),
    async stop(attempt) {
      const context = await contextAt(attempt);
      for (const drawn of stoppedIn(context).toReversed()) await applyDrawn(context, drawn);
      return { to: 'stopped', did: 'stop' };
    },
    stopped: async (attempt) => awaitStopped(await contextAt(attempt), attempt),
  };
  return runSequence(steps, 'check', work, () => undefined);
}

/** New pods for the units that are named, or all. What is dead only is made again. */
export function restart(settings: KubernetesSettings, work: Work): Promise<Step<void>> {
  requireUnits(work);
  requireTemplates(work);
  const contextAt = (attempt: Attempt) => contextOf(settings, attempt);
  const steps: NamedSteps = {
    ...startingSteps(settings, work, 'restart'),
    restart: async (attempt) => renewPods(await contextAt(attempt), attempt),
    ready: async (attempt) => awaitRestarted(await contextAt(attempt), attempt),
  };
  return runSequence(steps, 'check', work, () => undefined);
}

function startingSteps(settings: KubernetesSettings, work: Work, to: string): NamedSteps {
  requireUnits(work);
  const contextAt = (attempt: Attempt) => contextOf(settings, attempt);
  const drawing: DrawingOf = ({ config, made }) => ({
    templates: config.objects,
    made,
    // What is not named stays as it is.
    isStopped: (name) => work.instance.stopped === true && !objectsOf(work).includes(name),
  });
  return {
    check: (attempt) => begin(settings, attempt, 'space'),
    async space(attempt) {
      const context = await contextAt(attempt);
      if (context.isOwn) await makeSpace(context);
      await widenParent(context, kindsOf(context.config));
      return { to: 'announce' };
    },
    ...makingSteps(contextAt, drawing, to),
  };
}

/** The objects of the units that the work is about. */
function objectsOf({ plan, units, sparing }: Work): readonly string[] {
  const config = configOf(plan);
  const names = sparing ? sparing.end : (units ?? Object.keys(config.units));
  const chosen = names.flatMap((unit) => config.units[unit]?.object ?? []);
  // What is no unit, such as a ReplicaSet of a second kind, rests and starts with all of them.
  const others = Object.keys(config.objects).filter(
    (name) => !Object.values(config.units).some(({ object }) => object === name),
  );
  return units || sparing ? chosen : [...chosen, ...others];
}

function stoppedIn(context: ClusterContext): readonly DrawnObject[] {
  const { config, made, work } = context;
  const names = objectsOf(work);
  const drawn = drawAll(context, {
    templates: config.objects,
    made,
    isStopped: (name) => names.includes(name),
  });
  return drawn.filter(({ name, template }) => names.includes(name) && template.stop !== undefined);
}

/** When a kind of ours has no pods any more; a custom resource says nothing of that. */
async function awaitStopped(context: ClusterContext, { tries }: Attempt): Promise<Next> {
  const own = stoppedIn(context).filter(({ object }) => object.apiVersion === 'apps/v1');
  const sights = await lookAt(context, awaitedOf(own, context.made, context));
  const left = sights.find(({ object, verdict }) => object && verdict.state === 'waiting');
  if (left) throw later(`The unit ${left.name} is being stopped.`, pauseAfter(tries));
  return { to: 'end', did: 'stopped', isPoll: true };
}

/** By another name than ours, so that what is applied later neither undoes it nor does it again. */
async function renewPods(context: ClusterContext, { work, kept }: Attempt): Promise<Next> {
  const at = typeof kept['restartedAt'] === 'string' ? kept['restartedAt'] : undefined;
  // Recorded first: two brokers that come to it must say the same.
  if (at === undefined) return { to: 'restart', keep: { restartedAt: new Date().toISOString() } };
  const annotations = { [restartAnnotation]: at };
  const change = { spec: { template: { metadata: { annotations } } } };
  for (const { made } of restarted(context)) {
    const how = { manager: 'purveyor-restart' };
    await asking('change', () => context.cluster.patch(made, change, how, work.signal));
  }
  return { to: 'ready', did: 'restart', keep: { since: new Date().toISOString() } };
}

async function awaitRestarted(context: ClusterContext, { kept, tries }: Attempt): Promise<Next> {
  const names = restarted(context).map(({ name }) => name);
  const drawn = drawAll(context, { templates: context.config.objects, made: context.made });
  const own = drawn.filter(({ name }) => names.includes(name));
  await requireReady(context, own, context.made, { since: plainText(kept['since']), tries });
  return { to: 'end', did: 'ready', isPoll: true };
}

function restarted({ config, made, work }: ClusterContext) {
  const names = work.sparing ? objectsOf(work) : objectsOf(work).filter((name) => isUnit(name));
  return names.flatMap((name) => {
    const one = made[name];
    return one && config.objects[name]?.apiVersion === 'apps/v1' ? [{ name, made: one }] : [];
  });

  function isUnit(name: string): boolean {
    return Object.values(config.units).some(({ object }) => object === name);
  }
}

/** @throws Failure 'invalid' when there is no such unit */
export function requireUnits({ plan, units = [] }: Pick<Work, 'plan' | 'units'>): void {
  const known = Object.keys(configOf(plan).units);
  const unknown = units.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new Failure('invalid', `There is no unit '${unknown}'. There are: ${known.join(', ')}.`);
}

/** The pods of a custom resource are its operator's. */
function requireTemplates(work: Work): void {
  const { objects, units } = configOf(work.plan);
  const isOther = (name: string) => objects[units[name]?.object ?? '']?.apiVersion !== 'apps/v1';
  const [all, named] = [Object.keys(units), work.units];
  const other = named ? named.find(isOther) : all.every(isOther) ? all[0] : undefined;
  if (other === undefined || work.sparing) return;
  throw new Failure('unsupported', `The unit '${other}' cannot be restarted: its pods are not the broker's.`);
}
