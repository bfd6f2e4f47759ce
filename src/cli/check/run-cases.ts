import { cleanUp, leftName, type LeftThing } from './probe/clean-up.ts';
import type { CaseGroup, ConformanceCase } from './case.ts';
import { catalogCases } from './cases/catalog/catalog.ts';
import { Inapplicable, RunEnded, Shortcoming } from './probe/findings.ts';
import { forgetKept } from './probe/lifecycle.ts';
import { awaitAnswer } from './probe/await-answer.ts';
import { noPlan } from './probe/market.ts';
import type { OpenProbe, RecordedExchange } from './probe/probe.ts';

/** What a case has come to. */
export type CaseVerdict = 'passed' | 'failed' | 'warned' | 'not applicable' | 'not testable';

export interface CaseResult {
  readonly group: string;
  readonly case: ConformanceCase;
  readonly verdict: CaseVerdict;
  /** Why, for all but what has passed. */
  readonly reason: string | undefined;
  readonly exchanges: readonly RecordedExchange[];
  readonly ms: number;
}

export interface RunResult {
  readonly results: readonly CaseResult[];
  /** What could not be removed. */
  readonly left: readonly LeftThing[];
  /** Why it ended before its end. */
  readonly stopped: string | undefined;
}

/** Exchanges that a case has failed by, for those cases that look at all of them: nothing is told twice. */
export const blamedName = 'blamed';

/** Milliseconds and requests for removing what is there in the end. */
const cleaning = { ms: 120_000, requests: 1000 } as const;

/** @param onResult is told of each when it is known */
export async function runCases(
  open: OpenProbe,
  groups: readonly CaseGroup[],
  onResult: (result: CaseResult) => void,
): Promise<RunResult> {
  const { probe, traces } = open;
  const results: CaseResult[] = [];
  const given = new Map<string, LeftThing>();
  let left: readonly LeftThing[] = [];
  let stopped: string | undefined;

  async function runOne(group: string, one: ConformanceCase): Promise<void> {
    const from = probe.exchanges.length;
    const began = performance.now();
    if (group !== catalogCases.name && probe.market.planId === '') stopped ??= noPlan;
    const judged = stopped === undefined ? await judge(open, one) : notRun(stopped);
    const exchanges = probe.exchanges.slice(from);
    const ms = Math.round(performance.now() - began);
    const result = { group, case: one, ...judged, exchanges, ms };
    results.push(result);
    onResult(result);
    if (judged.stopped !== undefined) stopped = judged.stopped;
    await goesOn();
    if (stopped !== undefined) return;
    // What a case has gone wrong with may be broken.
    if (judged.verdict === 'failed' || judged.verdict === 'warned') forgetKept(probe);
    await tidy();
    await goesOn();
  }

  /** After a request without an answer: does the broker answer the next one? */
  async function goesOn(): Promise<void> {
    if (stopped === undefined && probe.exchanges.at(-1)?.failure !== undefined)
      stopped = await awaitAnswer(probe);
  }

  async function tidy(): Promise<void> {
    try {
      for (const one of await cleanUp(probe, traces, given)) given.set(one.path, one);
      probe.known.set(leftName, [...given.values()]);
    } catch (error) {
      if (!(error instanceof RunEnded)) throw error;
      stopped = error.message;
    }
  }

  try {
    for (const { name, cases } of groups) for (const one of cases) await runOne(name, one);
  } finally {
    forgetKept(probe);
    open.grant(cleaning.ms, cleaning.requests);
    left = await cleanUp(probe, traces, new Map());
  }
  return { results, left, stopped };
}

interface Judged extends Pick<CaseResult, 'verdict' | 'reason'> {
  /** The run is over. */
  readonly stopped?: string;
}

async function judge({ probe }: OpenProbe, { look, level, since }: ConformanceCase): Promise<Judged> {
  if (typeof look === 'string') return { verdict: 'not testable', reason: look };
  if (since !== undefined && since > probe.minor)
    return { verdict: 'not applicable', reason: `Version 2.${since} has brought it.` };
  try {
    await look(probe);
    return { verdict: 'passed', reason: undefined };
  } catch (error) {
    if (error instanceof Inapplicable) return { verdict: 'not applicable', reason: error.message };
    if (error instanceof RunEnded) return { ...notRun(error.message), stopped: error.message };
    if (!(error instanceof Shortcoming)) throw error;
    blame(probe, error);
    return { verdict: level === 'MUST' ? 'failed' : 'warned', reason: error.message };
  }
}

function notRun(reason: string): Judged {
  return { verdict: 'not applicable', reason: `It was not looked at. ${reason}` };
}

function blame({ known, exchanges }: OpenProbe['probe'], { answer }: Shortcoming): void {
  const blamed = (known.get(blamedName) as readonly RecordedExchange[] | undefined) ?? [];
  const shown = answer ? exchanges.filter((one) => one.answer === answer) : exchanges.slice(-1);
  known.set(blamedName, [...blamed, ...shown]);
}
