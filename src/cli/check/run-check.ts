import { writeFileSync } from 'node:fs';
import type { JsonObject } from '../../broker/json.ts';
import { readTrusted } from '../../config/access.ts';
import { redactor } from '../../config/secret-values.ts';
import { trustAuthorities } from '../../program/tls/trust.ts';
import { heedSignals } from '../../system/held-signals.ts';
import { print, printJson } from '../output/print.ts';
import type { CaseGroup } from './case.ts';
import { checkBroker } from './check-broker.ts';
import { passwordFrom } from './password-from.ts';
import { lineOf, summaryOf } from './report/lines.ts';
import { exitCodeOf } from './report/report.ts';

interface Given {
  readonly user: string;
  readonly passwordFrom: string | undefined;
  readonly offering: string | undefined;
  readonly plan: string | undefined;
  readonly parameters: Readonly<Record<string, unknown>> | undefined;
  readonly otherParameters: Readonly<Record<string, unknown>> | undefined;
  readonly apiVersion: string;
  readonly timeLimit: number;
  readonly operationLimit: number;
  readonly answerLimit: number;
  readonly requestLimit: number;
  readonly atOnce: number;
  readonly strict: true | undefined;
  readonly json: true | undefined;
  readonly junit: string | undefined;
}

/** Holds the broker to them; gives the exit code. */
export async function runCheck(
  groups: readonly CaseGroup[],
  address: string | undefined,
  given: Given,
): Promise<number> {
  if (address === undefined) throw new Error('check needs <url>: the address of the broker, without /v2.');
  if (groups.length === 0) throw new Error('--only names no case. See check --list.');
  const login = { username: given.user, password: passwordFrom(given.passwordFrom) };
  trustAuthorities(readTrusted());
  const hide = redactor([login.password]);
  const report = await checkBroker({
    address,
    login,
    apiVersion: given.apiVersion,
    offering: given.offering,
    plan: given.plan,
    parameters: given.parameters as JsonObject | undefined,
    otherParameters: given.otherParameters as JsonObject | undefined,
    groups,
    mostRequests: given.requestLimit,
    atOnce: given.atOnce,
    within: given.timeLimit,
    operationWithin: given.operationLimit,
    answerWithin: given.answerLimit,
    signal: stopSignal(),
    onResult: (result) => (given.json ? undefined : print(hide(lineOf(result)))),
  });
  if (given.junit !== undefined)
    writeFileSync(given.junit, (await import('./report/junit.ts')).junitOf(report));
  if (given.json) printJson(report);
  else print(summaryOf(report));
  return exitCodeOf(report, given.strict ?? false);
}

/** The first signal ends the run, which still removes what it has made; the second one ends the process. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  heedSignals(() => {
    if (stop.signal.aborted) process.exit(2);
    stop.abort();
  });
  return stop.signal;
}
