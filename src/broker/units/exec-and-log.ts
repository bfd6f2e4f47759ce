// What is asked of units and answered at once: to run a command, to give their last lines. It is no operation,
// since it changes nothing that the broker remembers.
import { auditEntry, underAudit } from '../audit.ts';
import type { Exec, ReadLog } from '../commands.ts';
import type { RequestContext } from '../requests/context.ts';
import type { Peer } from '../context.ts';
import { Failure, Refusal } from '../errors.ts';
import { tellEnd, type CommandSummary } from '../events.ts';
import { type JsonObject, jsonOf } from '../json.ts';
import { controlOf, inspectUnits, workOn } from './inspect.ts';
import type { Work, UnitControl } from '../provisioner.ts';
import { isHere } from './read-status.ts';
import type { ServiceInstance } from '../records.ts';
import { underLimit } from '../timing.ts';
import type { Executed, UnitLog } from '../units.ts';
import { redactRecords } from '../template-values.ts';
import { isShortage } from '../../system/error-code.ts';

/** Milliseconds beyond its own limit that a command is waited for, and that a log may take to be read. */
const grace = 5000;

/**
 * Runs a command beside one unit or each. What it wrote comes without the instance's secrets.
 * @throws Refusal not-found, not-ready, unsupported, invalid (no such unit), unavailable (its node is silent, or has no
 * room for it)
 */
export function execInUnits(core: RequestContext, asked: Exec): Promise<readonly Executed[]> {
  const { command, unit, timeout } = asked;
  return ask(core, asked, {
    can: 'exec',
    unit,
    limit: timeout + grace,
    summary: (answers) => execSummary(asked, answers),
    asked: jsonOf({ unit, program: programOf(command), arguments: argumentCountOf(command) }),
    result: (answers) => ({ ended: answers.map((answer) => ({ unit: answer.unit, code: answer.code })) }),
    here: (units, work) => units.exec?.(work, { command, unit, timeout }),
    there: (peer) => peer.exec(asked),
    redact: (answer, redacted) => ({ ...answer, output: redacted(answer.output) }),
  });
}

/** The last lines of one unit or each, without the instance's secrets. Refuses as `exec` does. */
export function readUnitLogs(core: RequestContext, asked: ReadLog): Promise<readonly UnitLog[]> {
  const { instanceId, unit, lines } = asked;
  return ask(core, asked, {
    can: 'log',
    unit,
    limit: grace,
    summary: () => ({ kind: 'log', instanceId, unit, lines }),
    asked: jsonOf({ unit, lines }),
    here: (units, work) => units.log?.(work, { unit, lines }),
    there: (peer) => peer.log(asked),
    redact: (answer, redacted) => ({ ...answer, text: redacted(answer.text) }),
  });
}

function execSummary({ instanceId, unit, command }: Exec, answers: readonly Executed[] = []): CommandSummary {
  return {
    kind: 'exec',
    instanceId,
    unit,
    program: programOf(command),
    argumentCount: argumentCountOf(command),
    ended: answers.map((answer) => ({ unit: answer.unit, code: answer.code })),
  };
}

function argumentCountOf(command: readonly string[]): number {
  return Math.max(command.length - 1, 0);
}

const longestProgram = 200;

/** Who writes the whole line as one word has written the arguments into it, and who assigns a variable its value. */
function programOf([program = '']: readonly string[]): string {
  return (program.split(/[\s=]/, 1)[0] ?? '').slice(0, longestProgram);
}

interface Question<Answer> {
  readonly can: 'exec' | 'log';
  /** Absent: every unit. */
  readonly unit?: string;
  /** Milliseconds. */
  readonly limit: number;
  readonly summary: (answers: readonly Answer[] | undefined) => CommandSummary;
  /** As the audit trail tells what was asked, and what came of it. */
  readonly asked: JsonObject;
  readonly result?: (answers: readonly Answer[]) => JsonObject;
  readonly here: (units: UnitControl, work: Work) => Promise<readonly Answer[]> | undefined;
  readonly there: (peer: Peer) => Promise<readonly Answer[]>;
  readonly redact: (answer: Answer, redacted: (text: string) => string) => Answer;
}

/** What was passed on is told of where it was asked for first, so that it is told once, and with its origin. */
function ask<Answer>(
  core: RequestContext,
  { instanceId, origin, passedOn = false }: Exec | ReadLog,
  question: Question<Answer>,
): Promise<readonly Answer[]> {
  const carryOut = () => answer(core, instanceId, question);
  if (passedOn) return carryOut();
  const { can: verb, summary } = question;
  const entry = auditEntry(core, origin, {
    verb,
    object: { kind: 'instance', instanceId },
    after: question.asked,
  });
  return tellEnd(core.observe, { origin, summary }, () => underAudit(core, entry, carryOut, question.result));
}

async function answer<Answer>(
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
  const node = (await core.nodes.states()).find((one) => one.name === name);
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
  try {
    if (unit !== undefined) await requireUnit(core, instance, unit);
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
  const facts = await inspectUnits(core, instance).catch((error: unknown) => {
    if (isShortage(error)) throw error;
    return seen?.units ?? [];
  });
  const names = facts.map((one) => one.unit);
  if (names.includes(unit)) return;
  const known = names.length > 0 ? `Its units are: ${names.join(', ')}.` : 'It has no units.';
  throw new Refusal('invalid', `The service instance has no unit '${unit}'. ${known}`, 'unit');
}

const noRoom = 'The machine of the service instance has no room for this at the moment. Try again later.';

/** What went wrong, with nothing in it that is confidential. */
function discreet(error: unknown, can: string, redacted: (text: string) => string): Refusal | Failure {
  if (error instanceof Refusal) return new Refusal(error.code, redacted(error.message), error.field);
  if (error instanceof Failure) {
    const { detail, ...hints } = error.hints;
    const told = detail === undefined ? undefined : redacted(detail);
    return new Failure(error.word, redacted(error.message), { ...hints, detail: told });
  }
  if (isShortage(error)) return new Refusal('unavailable', noRoom);
  return new Failure(can, 'The units could not be asked.', { detail: redacted(String(error)) });
}
