import { oneOf, path, userName, webAddress, wholeNumber } from '../../config/kinds.ts';
import { defineCommand } from '../command.ts';
import { print, printJson } from '../output/print.ts';
import { flag, option, optionalArgument, optionWithDefault, someText, timeLimit } from '../parameters.ts';
import { otherParametersOption, parametersOption } from '../platform/parameters.ts';

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
    const { runCheck } = await import('./run-check.ts');
    return runCheck(groups, address, { json, ...given });
  },
});
