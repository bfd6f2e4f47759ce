import { Failure } from '../../../broker/errors.ts';
import { type Json, jsonOf } from '../../../broker/json.ts';
import type { Attempt, NamedSteps, Next } from '../../../node/step-sequence.ts';
import type { ClusterContext, MadeObject, MadeObjects } from '../context.ts';
import { madeIn } from '../context.ts';
import { orderOf } from '../form/config.ts';
import { applyDrawn } from '../objects/apply.ts';
import { later, pauseAfter } from '../objects/asking.ts';
import { type DrawnObject, type Drawing, drawUpTo } from '../objects/draw.ts';
import { addressOf } from '../objects/labels.ts';
import { awaitedOf, freeHanging, lookAt, type Sight } from '../objects/look.ts';
import { plainText } from '../objects/plain-text.ts';

export type ContextAt = (attempt: Attempt) => Promise<ClusterContext>;

/** What is made: which objects, and how they are drawn. */
export type DrawingOf = (context: ClusterContext) => Drawing;

/**
 * Wave after wave: the names of its objects are recorded, then they are applied, then they are awaited.
 * @param to where it goes on when all are ready
 */
export function makingSteps(contextAt: ContextAt, drawingOf: DrawingOf, to: string): NamedSteps {
  return {
    announce: async (attempt) => announce(await contextAt(attempt), drawingOf, attempt, to),
    apply: async (attempt) => apply(await contextAt(attempt), drawingOf, attempt),
    await: async (attempt) => awaitReady(await contextAt(attempt), drawingOf, attempt),
  };
}

async function announce(
  context: ClusterContext,
  drawingOf: DrawingOf,
  { kept }: Attempt,
  to: string,
): Promise<Next> {
  const drawing = drawingOf(context);
  const wave = waveIn(kept);
  if (wave >= orderOf(drawing.templates).length) return { to };
  const announced = drawnIn(context, drawing, wave).map(({ name, object }): readonly [string, MadeObject] => {
    const { namespace = context.place.namespace, ...address } = addressOf(object);
    const known = drawing.made[name];
    const isSame = known?.kind === object.kind && known.name === address.name;
    return [name, { ...address, namespace, wave, uid: isSame ? known.uid : undefined }];
  });
  return { to: 'apply', keep: { objects: recorded(kept, Object.fromEntries(announced)) } };
}

async function apply(context: ClusterContext, drawingOf: DrawingOf, { kept }: Attempt): Promise<Next> {
  const made: [string, MadeObject][] = [];
  // In the order of their kinds: what others need when they begin is there before them.
  for (const drawn of drawnIn(context, drawingOf(context), waveIn(kept)))
    made.push([drawn.name, await applyDrawn(context, drawn)]);
  const keep = { objects: recorded(kept, Object.fromEntries(made)), since: new Date().toISOString() };
  return { to: 'await', did: 'apply', keep };
}

async function awaitReady(
  context: ClusterContext,
  drawingOf: DrawingOf,
  { kept, tries }: Attempt,
): Promise<Next> {
  const drawing = drawingOf(context);
  const drawn = drawnIn(context, drawing, waveIn(kept)).filter((one) => isAwaited(one, drawing));
  await requireReady(context, drawn, drawing.made, { since: plainText(kept['since']), tries });
  return { to: 'announce', did: 'ready', isPoll: true, keep: { wave: waveIn(kept) + 1 } };
}

/** What its operator puts at rest says of that what it likes. */
function isAwaited({ name, template, object }: DrawnObject, { isStopped }: Drawing): boolean {
  const rests = template.stop !== undefined && isStopped?.(name) === true && object.apiVersion !== 'apps/v1';
  return template.wait && !rests;
}

/** @throws Failure when one has failed; TryLater as long as one is not ready */
export async function requireReady(
  context: ClusterContext,
  drawn: readonly DrawnObject[],
  made: MadeObjects,
  { since, tries }: { readonly since: string; readonly tries: number },
): Promise<void> {
  const begun = new Date(since);
  const giveUpMs = context.work.plan.operating.timeouts['start'];
  const sights = await lookAt(context, awaitedOf(drawn, made, context), { since: begun, giveUpMs });
  const failed = sights.find(({ verdict }) => verdict.state === 'failed');
  if (failed) throw new Failure('not-ready', saidOf(failed, drawn));
  const waiting = sights.find(({ verdict }) => verdict.state === 'waiting');
  if (!waiting) return;
  await freeHanging(context, sights, { now: new Date(), since: begun });
  throw later(saidOf(waiting, drawn), pauseAfter(tries));
}

function saidOf({ name, verdict }: Sight, drawn: readonly DrawnObject[]): string {
  const kind = drawn.find((one) => one.name === name)?.object.kind ?? 'object';
  const reason = 'reason' in verdict ? verdict.reason : verdict.state;
  return `The ${kind} ${name} ${reason}.`;
}

function drawnIn(context: ClusterContext, drawing: Drawing, wave: number): readonly DrawnObject[] {
  return drawUpTo(context, drawing, wave).filter((drawn) => drawn.wave === wave);
}

function waveIn(kept: Attempt['kept']): number {
  return typeof kept['wave'] === 'number' ? kept['wave'] : 0;
}

function recorded(kept: Attempt['kept'], objects: MadeObjects): Json {
  const all = Object.entries({ ...madeIn(kept), ...objects });
  return Object.fromEntries(all.map(([name, object]) => [name, jsonOf({ ...object })]));
}
