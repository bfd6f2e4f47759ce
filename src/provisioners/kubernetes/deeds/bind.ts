import { Failure } from '../../../broker/errors.ts';
import { jsonOf, type JsonObject } from '../../../broker/json.ts';
import { instanceKey } from '../../../broker/key.ts';
import type { Made, Step, Work } from '../../../broker/provisioner.ts';
import { renderText, render } from '../../../broker/template.ts';
import {
  type Attempt,
  type NamedSteps,
  type Next,
  runSequence,
  TryLater,
} from '../../../node/step-sequence.ts';
import {
  type ClusterContext,
  contextOf,
  factsOf,
  filling,
  keyOfBinding,
  type KubernetesSettings,
  madeIn,
  placeIn,
} from '../context.ts';
import { configOf, type ExecTemplate, kindsOf } from '../form/config.ts';
import { asking, later, pauseAfter } from '../objects/asking.ts';
import { bindingLabel, labelOf } from '../objects/labels.ts';
import { readyPodOf } from '../objects/pods.ts';
import { findPlace } from '../objects/search.ts';
import { readAll } from '../objects/read.ts';
import { removeNext } from '../objects/remove.ts';
import { findParent, widenParent } from '../objects/parent.ts';
import { unionOfKinds } from '../rules/apply-set.ts';
import { requireSameCluster } from './begin.ts';
import { type DrawingOf, makingSteps } from './make.ts';
import { factsOfObjects } from './provision.ts';
import { plainText } from '../objects/plain-text.ts';

/** Makes what a binding has of its own: its objects, then what programs in pods do for it. */
export function bind(settings: KubernetesSettings, work: Work): Promise<Step<Made>> {
  const contextAt = (attempt: Attempt) => contextOf(settings, attempt);
  const drawing: DrawingOf = ({ config, made }) => ({
    templates: config.bind.objects,
    made,
    binding: keyOfBinding(work),
  });
  const steps: NamedSteps = {
    async check({ kept }) {
      requireStarted(work);
      const place = await findRecorded(settings, work);
      if (!place) throw new Failure('not-made', 'There is nothing of the instance in a cluster.');
      const attempt = { work, tries: 1, kept: { ...kept, ...place } };
      const context = await contextAt(attempt);
      // An instance of before the plan had them: its removal must know of which kinds there is something.
      if (Object.keys(context.config.bind.objects).length > 0)
        await widenParent(context, kindsOf(context.config));
      return { to: 'announce', keep: place };
    },
    ...makingSteps(contextAt, drawing, 'exec'),
    exec: async (attempt) => execNext(await contextAt(attempt), attempt, 'bind', 'read'),
    async read(attempt) {
      const context = await contextAt(attempt);
      return { to: 'end', keep: { read: await readAll(context, context.config.bind.read, context.made) } };
    },
  };
  return runSequence(steps, 'check', work, (kept) => factsOfBinding(work, kept));
}

/** Removes what a binding had of its own. */
export function unbind(settings: KubernetesSettings, work: Work): Promise<Step<void>> {
  const contextAt = (attempt: Attempt) => contextOf(settings, attempt);
  const steps: NamedSteps = {
    async check() {
      const keep = await findRecorded(settings, work);
      return keep ? { to: 'exec', keep } : { to: 'end' };
    },
    exec: async (attempt) => execNext(await contextAt(attempt), attempt, 'unbind', 'delete'),
    delete: async (attempt) => removeOf(await contextAt(attempt), attempt),
  };
  return runSequence(steps, 'check', work, () => undefined);
}

/** They stand over those of the instance, so they hold them too. */
function factsOfBinding({ instance, plan }: Work, kept: JsonObject): Made {
  const { objects = {}, read = {} } = instance.confidential.facts;
  const { bind } = configOf(plan);
  const own = factsOfObjects(madeIn(kept));
  const hasObjects = Object.keys(bind.objects).length > 0;
  const hasReads = Object.keys(bind.read).length > 0;
  return {
    facts: jsonOf({
      objects: hasObjects ? { ...(objects as JsonObject), ...own } : undefined,
      read: hasReads ? { ...(read as JsonObject), ...(kept['read'] as JsonObject) } : undefined,
    }),
  };
}

/** Where it is recorded to be, or where its labels say. */
async function findRecorded(settings: KubernetesSettings, work: Work): Promise<JsonObject | undefined> {
  const recorded = placeIn(factsOf(work));
  if (recorded) await requireSameCluster(settings, recorded, work);
  const place = recorded ?? (await findPlace(settings, instanceKey(work.instance), work));
  return place && { cluster: { ...place.cluster }, namespace: place.namespace };
}

/** As long as a bind is open, nothing of its instance is started. */
function requireStarted({ instance }: Work): void {
  if (instance.stopped) throw new Failure('stopped', 'The instance is stopped. Start it and bind again.');
}

/** One program after another; how far it is, is recorded, and each may run twice. */
async function execNext(
  context: ClusterContext,
  { kept, tries }: Attempt,
  word: 'bind' | 'unbind',
  to: string,
): Promise<Next> {
  const index = typeof kept['execs'] === 'number' ? kept['execs'] : 0;
  const template = context.config[word].exec[index];
  if (!template) return { to };
  await execOne(context, template, word, tries);
  return { to: 'exec', did: word, keep: { execs: index + 1 } };
}

/** Tries of an unbind at an instance whose pods are not there: it is told, and may be asked for again. */
const mostTries = 6;

async function execOne(
  context: ClusterContext,
  { unit, run, send, expect }: ExecTemplate,
  word: 'bind' | 'unbind',
  tries: number,
): Promise<void> {
  const { cluster, work, roots } = context;
  const all = { ...roots, objects: jsonOf({ ...factsOfObjects(context.made) }) };
  const command = filling(() => ({
    run: run.map((part) => plainText(render(part, all))),
    send: send === undefined ? undefined : renderText(send, all, `config.${word}.exec`),
    expect: expect === undefined ? undefined : renderText(expect, all, `config.${word}.exec`),
  }));
  const pod = await readyPodOf(context, unit);
  if (!pod) {
    if (work.instance.stopped || tries > mostTries)
      throw new Failure('not-running', 'The service does not run at the moment. Try again later.');
    throw later('The service does not run at the moment.', pauseAfter(tries));
  }
  const result = await asking('exec', () => cluster.exec(pod, command, work.signal));
  if (!result) throw later('The service does not run at the moment.', pauseAfter(tries));
  const { exitCode, stdout, stderr } = result;
  const isRight = command.expect === undefined ? exitCode === 0 : stdout.includes(command.expect);
  if (isRight) return;
  const detail = `The program of config.${word}.exec ended with ${exitCode}: ${work
    .redact(stderr || stdout)
    .trim()
    .slice(0, 500)}`;
  const failure = new Failure('refused', 'The service has not accepted the change of its bindings.', {
    detail,
  });
  if (word === 'bind') throw failure;
  throw new TryLater(failure);
}

async function removeOf(context: ClusterContext, { tries }: Attempt): Promise<Next> {
  const key = keyOfBinding(context.work);
  const parent = await findParent(context);
  const kinds = unionOfKinds(parent?.kinds ?? [], kindsOf({ objects: {}, bind: context.config.bind }));
  const removal = await removeNext(context, kinds, (object) => labelOf(object, bindingLabel) === key);
  if (removal.is === 'going') throw later(removal.note, pauseAfter(tries));
  return { to: 'end', did: 'delete', isPoll: true };
}
