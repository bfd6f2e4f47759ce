import { writeFileSync } from 'node:fs';
import type { JsonObject } from '../../broker/json.ts';
import { readTrusted } from '../../config/access.ts';
import { redactor } from '../../config/secret-values.ts';
import { oneOf, path, userName, webAddress, wholeNumber } from '../../config/kinds.ts';
import { trustAuthorities } from '../../program/tls/trust.ts';
import { heedSignals } from '../../system/held-signals.ts';
import { defineCommand } from '../command.ts';
import { print, printJson } from '../output/print.ts';
import { flag, option, optionalArgument, optionWithDefault, someText, timeLimit } from '../parameters.ts';
import { otherParametersOption, parametersOption } from '../platform/parameters.ts';
import type { CaseGroup } from './case.ts';
import { passwordFrom } from './password-from.ts';

const apiVersions = ['2.13', '2.14', '2.15', '2.16', '2.17'] as const;

export const checkCommand = defineCommand({
  words: 'check',
  description:
    'Hold any service broker to the Open Service Broker API from outside: exit code 0 when all that must hold does, 1 when not, 2 when it could not be looked at.',
  arguments: [optionalArgument('url', webAddress(), 'the address of the broker, without /v2')],
  options: {
    user: optionWithDefault('--user <name>', userName(), 'broker', 'its user name'),
    passwordFrom: option(
      '--password-from <where>',
      someText(),
      'its password: the path of a file, env:NAME for a variable, or - for standard input',
    ),
    offering: option('--offering <name>', someText(), 'name or id of the offering'),
    plan: option(
      '--plan <name>',
      someText(),
      'name or id of the plan; the first that can be bound, unless one is named',
    ),
    parameters: parametersOption,
    otherParameters: otherParametersOption,
    apiVersion: optionWithDefault(
      '--api-version <version>',
      oneOf(...apiVersions),
      '2.17',
      'the version that is spoken',
    ),
    only: option(
      '--only <cases>',
      someText(),
      'numbers or groups of cases, with commas between them: PRV-08,UPD,catalog',
    ),
    timeLimit: optionWithDefault('--time-limit <time>', timeLimit('2h'), '30m', 'for the whole run'),
    operationLimit: optionWithDefault('--operation-limit <time>', timeLimit('1h'), '5m', 'for one operation'),
    answerLimit: optionWithDefault('--answer-limit <time>', timeLimit('10m'), '60s', 'for one answer'),
    requestLimit: optionWithDefault(
      '--request-limit <number>',
      wholeNumber(1, 100_000),
      '6000',
      'so many requests at most',
    ),
    atOnce: optionWithDefault(
      '--at-once <number>',
      wholeNumber(2, 100),
      '8',
      'so many requests at once, where some are to meet',
    ),
    strict: flag('--strict', 'exit code 1 for warnings too'),
    json: flag('--json', 'the report as JSON, with all exchanges'),
    junit: option('--junit <file>', path(), 'write the report as JUnit XML too'),
    list: flag('--list', 'the cases, without asking any broker'),
  },
  heedsSignals: true,
  // 1 says that a broker is wrong.
  failureCode: 2,
  async run([address], { list, only, json, ...given }) {
    const { casesNamed } = await import('./cases.ts');
    const { listOf, tableOf } = await import('./report/list.ts');
    const groups = casesNamed(only?.split(',').map((name) => name.trim()) ?? []);
    if (list) {
      if (json) printJson(listOf(groups));
      else print(tableOf(groups));
      return 0;
    }
    return runCheck(groups, address, { json, ...given });
  },
});

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

/** Gives the exit code. */
async function runCheck(
  groups: readonly CaseGroup[],
  address: string | undefined,
  given: Given,
): Promise<number> {
  if (address === undefined) throw new Error('check needs <url>: the address of the broker, without /v2.');
  if (groups.length === 0) throw new Error('--only names no case. See check --list.');
  const login = { username: given.user, password: passwordFrom(given.passwordFrom) };
  trustAuthorities(readTrusted());
  const { checkBroker } = await import('./check-broker.ts');
  const { lineOf, summaryOf } = await import('./report/lines.ts');
  const { exitCodeOf } = await import('./report/report.ts');
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
