import { Failure } from '../../broker/errors.ts';
import type { Work } from '../../broker/provisioner.ts';
import { underLimit } from '../../broker/timing.ts';
import type { Executed, Execution, LogQuery, UnitLog } from '../../broker/units.ts';
import { type ClusterContext, contextOf, factsOf, type KubernetesSettings, placeIn } from './context.ts';
import { requireSameCluster } from './deeds/begin.ts';
import { requireUnits } from './deeds/start-stop.ts';
import { asking } from './objects/asking.ts';
import { addressOfPod, podsOfUnit, readyPodOf } from './objects/pods.ts';

/** What is told of an output at most, in characters. */
const most = 64 * 1024;

/** Runs a command in a pod of a unit, or of each of them. */
export async function exec(
  settings: KubernetesSettings,
  work: Work,
  { command, unit, timeout }: Execution,
): Promise<readonly Executed[]> {
  const context = await openContext(settings, work, unit);
  return Promise.all(chosen(context, unit).map((name) => execIn(context, name, command, timeout)));
}

/** The last lines of the newest pod of each unit. */
export async function log(
  settings: KubernetesSettings,
  work: Work,
  { unit, lines }: LogQuery,
): Promise<readonly UnitLog[]> {
  const context = await openContext(settings, work, unit);
  return Promise.all(
    chosen(context, unit).map(async (name) => ({ unit: name, text: await logOf(context, name, lines) })),
  );
}

async function openContext(
  settings: KubernetesSettings,
  work: Work,
  unit: string | undefined,
): Promise<ClusterContext> {
  requireUnits({ plan: work.plan, units: unit === undefined ? [] : [unit] });
  const place = placeIn(factsOf(work));
  if (!place) throw new Failure('invalid', 'The instance has no units now.');
  await requireSameCluster(settings, place, work);
  return contextOf(settings, { work, kept: {}, tries: 1 });
}

function chosen({ config }: ClusterContext, unit: string | undefined): readonly string[] {
  return unit === undefined ? Object.keys(config.units) : [unit];
}

async function execIn(
  context: ClusterContext,
  unit: string,
  run: readonly string[],
  timeout: number,
): Promise<Executed> {
  const { cluster } = context;
  const pod = await readyPodOf(context, unit);
  if (!pod) return { unit, code: -1, output: 'It has no pod that is ready.' };
  const ran = await underLimit(timeout, async (signal) =>
    asking('exec', () => cluster.exec(pod, { run }, signal)),
  ).catch((error: unknown) => {
    if (error instanceof Error && error.name === 'TimeoutError') return undefined;
    throw error;
  });
  if (!ran) return { unit, code: -1, output: 'It did not end in time.' };
  return { unit, code: ran.exitCode, output: `${ran.stdout}${ran.stderr}`.slice(0, most) };
}

async function logOf(context: ClusterContext, unit: string, lines: number): Promise<string> {
  const { cluster, work } = context;
  const [pod] = await podsOfUnit(context, unit);
  if (!pod) return '';
  const address = addressOfPod(context, unit, pod);
  const text = await cluster.log(address, { lines }, work.signal).catch(() => '');
  // Of a container that ends again and again, what it said before is what people look for.
  return text !== '' ? text : cluster.log(address, { lines, previous: true }, work.signal).catch(() => '');
}
