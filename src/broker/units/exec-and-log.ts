// What is asked of units and answered at once: to run a command, to give their last lines. It is no operation,
// since it changes nothing that the broker remembers.
import type { RequestContext } from '../requests/context.ts';
import type { Peer } from '../context.ts';
import { Failure, Refusal } from '../errors.ts';
import { controlOf, inspectUnits, workOn } from './inspect.ts';
import type { Work, UnitControl } from '../provisioner.ts';
import { isHere } from './read-status.ts';
import type { ServiceInstance } from '../records.ts';
import { underLimit } from '../timing.ts';
import type { Executed, Execution, LogQuery, UnitLog } from '../units.ts';
import { redactRecords } from '../template-values.ts';

/** Milliseconds beyond its own limit that a command is waited for, and that a log may take to be read. */
const grace = 5000;

/**
 * Runs a command beside one unit or each. What it wrote comes without the instance's secrets.
 * @throws Refusal not-found, not-ready, unsupported, invalid (no such unit), unavailable (its node is silent)
 */
export function execInUnits(
  core: RequestContext,
  instanceId: string,
  execution: Execution,
): Promise<readonly Executed[]> {
  return ask(core, instanceId, {
    can: 'exec',
    unit: execution.unit,
    limit: execution.timeout + grace,
    here: (units, work) => units.exec?.(work, execution),
    there: (peer) => peer.exec(instanceId, execution),
    redact: (answer, redacted) => ({ ...answer, output: redacted(answer.output) }),
  });
}

/** The last lines of one unit or each, without the instance's secrets. Refuses as `exec` does. */
export function readUnitLogs(
  core: RequestContext,
  instanceId: string,
  query: LogQuery,
): Promise<readonly UnitLog[]> {
  return ask(core, instanceId, {
    can: 'log',
    unit: query.unit,
    limit: grace,
    here: (units, work) => units.log?.(work, query),
    there: (peer) => peer.log(instanceId, query),
    redact: (answer, redacted) => ({ ...answer, text: redacted(answer.text) }),
  });
}

interface Question<Answer> {
  readonly can: 'exec' | 'log';
  /** Absent: every unit. */
  readonly unit?: string;
  /** Milliseconds. */
  readonly limit: number;
  readonly here: (units: UnitControl, work: Work) => Promise<readonly Answer[]> | undefined;
  readonly there: (peer: Peer) => Promise<readonly Answer[]>;
  readonly redact: (answer: Answer, redacted: (text: string) => string) => Answer;
}

async function ask<Answer>(
  core: RequestContext,
  instanceId: string,
  question: Question<Answer>,
): Promise<readonly Answer[]> {
  const found = await core.store.findInstance(instanceId);
  if (!found) throw new Refusal('not-found', 'There is no service instance with this id.');
  const { instance } = found;
  if (!instance.ready) throw new Refusal('not-ready', 'The service instance is not finished.');
  const { plan, units } = await controlOf(core, instance);
  if (!units?.[question.can]) throw new Refusal('unsupported', cannot[question.can](plan.offeringName));
  if (!isHere(core, instance)) return question.there(await peerOf(core, instance));
  const answers = await askHere(core, instance, units, question);
  if (answers.length === 0) throw new Refusal('not-ready', 'The service instance has no units.');
  return answers;
}

const cannot = {
  exec: (offering: string) => `Nothing can be run beside the units of ${offering}.`,
  log: (offering: string) => `There is no log of the units of ${offering}.`,
};

async function peerOf(core: RequestContext, { place }: ServiceInstance): Promise<Peer> {
  const name = place?.node ?? '';
  const node = (await core.nodes.list()).find((one) => one.name === name);
  if (node && !node.stale) return core.peer(node);
  throw new Refusal('unavailable', `The node '${name}' of the service instance does not answer.`);
}

async function askHere<Answer>(
  core: RequestContext,
  instance: ServiceInstance,
  units: UnitControl,
  { unit, limit, here, redact, can }: Question<Answer>,
): Promise<readonly Answer[]> {
  const redacted = (text: string) => redactRecords(text, [instance]);
  const plan = await core.planOf(instance);
  if (unit !== undefined) await requireUnit(core, instance, unit);
  try {
    const answers = await underLimit(
      limit,
      async (signal) => (await here(units, workOn(core, plan, instance, signal))) ?? [],
    );
    return answers.map((answer) => redact(answer, redacted));
  } catch (error) {
    throw discreet(error, can, redacted);
  }
}

/** Units may have changed since they were last seen: before a unit is refused, they are looked at. */
async function requireUnit(core: RequestContext, instance: ServiceInstance, unit: string): Promise<void> {
  const seen = await core.store.findSeen(instance.id);
  if (seen?.units.some((one) => one.unit === unit)) return;
  const facts = await inspectUnits(core, instance).catch(() => seen?.units ?? []);
  const names = facts.map((one) => one.unit);
  if (names.includes(unit)) return;
  const known = names.length > 0 ? `Its units are: ${names.join(', ')}.` : 'It has no units.';
  throw new Refusal('invalid', `The service instance has no unit '${unit}'. ${known}`, 'unit');
}

/** What went wrong, with nothing in it that is confidential. */
function discreet(error: unknown, can: string, redacted: (text: string) => string): Refusal | Failure {
  if (error instanceof Refusal) return new Refusal(error.code, redacted(error.message), error.field);
  if (error instanceof Failure) {
    const { detail, ...hints } = error.hints;
    const told = detail === undefined ? undefined : redacted(detail);
    return new Failure(error.word, redacted(error.message), { ...hints, detail: told });
  }
  return new Failure(can, 'The units could not be asked.', { detail: redacted(String(error)) });
}
