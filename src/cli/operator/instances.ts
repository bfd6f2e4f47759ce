import { nodeName, wholeNumber } from '../../config/kinds.ts';
import { defineCommand, type CliCommand } from '../command.ts';
import { instancePage, instanceTable } from './instance-answers.ts';
import { doAndTell, untilRemoved } from './asking/until-done.ts';
import type { ActionBody } from '../../protocols/operator/wire/units.ts';
import type { InstanceAction } from '../../protocols/operator/client.ts';
import { findAll, listOptions, ownerOptions } from './lists.ts';
import { operatorOfHere } from './asking/operator-of-here.ts';
import {
  anyArguments,
  anyText,
  argument,
  asJson,
  flag,
  option,
  optionWithDefault,
  someArguments,
  someText,
  timeLimit,
} from '../parameters.ts';
import { parametersOption } from '../platform/parameters.ts';
import { print, printFor, printJson, printText } from '../output/print.ts';

/** Of a line, where no terminal says how wide it is. */
const usualWidth = 80;

export const instanceId = argument('id', someText(), 'the id of the instance');

/** Instances: how they are, and what can be done with their units. */
export const instanceCommands: readonly CliCommand[] = [
  defineCommand({
    words: 'instances',
    description: 'Show the service instances and how they are.',
    options: {
      node: option('--node <name>', nodeName(), 'only those on this node'),
      ...listOptions,
      plan: option('--plan <name>', someText(), 'only those of this plan'),
      ...ownerOptions,
      state: option('--state <state>', someText(), 'only those that are e.g. ready, failed or updating'),
      status: option('--status <status>', someText(), 'only those that are e.g. started, error or down'),
      drifted: flag('--drifted', 'only those whose plan has changed since, down to its hooks'),
      wide: flag('--wide', 'all columns, however wide the lines become'),
      ...asJson,
    },
    async run(
      _given,
      { json, drifted, wide, limit, organizationGuid, spaceGuid, olderThan, youngerThan, ...rest },
    ) {
      const query = {
        ...rest,
        organization_guid: organizationGuid,
        space_guid: spaceGuid,
        older_than: olderThan,
        younger_than: youngerThan,
        drifted: drifted ? 'true' : undefined,
      };
      const found = await findAll(await operatorOfHere(), query, limit);
      const width = wide ? Infinity : (process.stdout.columns ?? usualWidth);
      printFor(json, found, instanceTable(found, width));
      return 0;
    },
  }),
  defineCommand({
    words: 'instances show',
    description: 'Show one with its units and what was done with it, step by step.',
    arguments: [instanceId],
    options: asJson,
    async run([id], { json }) {
      const found = await (await operatorOfHere()).instance(id);
      printFor(json, found, instancePage(found));
      return 0;
    },
  }),
  act('start', 'Start units; all, unless some are named.'),
  act('stop', 'Stop units; their data stays.'),
  act('restart', 'Restart units.'),
  defineCommand({
    words: 'instances recreate',
    description: 'Make one anew that was lost with its node: empty, with new credentials.',
    arguments: [instanceId],
    options: asJson,
    run: async ([id], { json }) => actOn('recreate', { id, json }, {}),
  }),
  defineCommand({
    words: 'instances upgrade',
    description: 'Make one what its plan is now; its parameters stay.',
    arguments: [instanceId],
    options: asJson,
    run: async ([id], { json }) => actOn('upgrade', { id, json }, {}),
  }),
  defineCommand({
    words: 'instances action',
    description: 'Have done what its offering declares; `instances show` lists what there is.',
    arguments: [instanceId, argument('action', someText(), 'the name of the action')],
    options: { parameters: parametersOption, ...asJson },
    run: async ([id, action], { json, parameters }) =>
      doAndTell({ verb: action, id, json }, (client) => client.askFor(id, action, { parameters })),
  }),
  defineCommand({
    words: 'instances delete',
    description: 'Delete one that its platform has forgotten, with all its data: say its id twice.',
    arguments: [instanceId, argument('again', someText(), 'the id once more')],
    options: asJson,
    run: async ([id, again], { json }) =>
      doAndTell({ verb: 'delete', id, json, wait: untilRemoved }, (client) =>
        client.removeInstance(id, again),
      ),
  }),
  defineCommand({
    words: 'instances unbind',
    description:
      'Remove a binding that its platform has forgotten: its credentials are good for nothing any more.',
    arguments: [instanceId, argument('binding', someText(), 'the id of the binding')],
    options: asJson,
    run: async ([id, binding], { json }) =>
      doAndTell({ verb: 'unbind', id, json }, (client) => client.removeBinding(id, binding)),
  }),
  defineCommand({
    words: 'instances exec',
    description: 'Run a command beside the units; write -- before it when it has options of its own.',
    arguments: [instanceId, someArguments('command', anyText(), 'the command with its arguments')],
    options: {
      unit: option('--unit <name>', someText(), 'beside this unit only'),
      timeout: optionWithDefault('--timeout <seconds>', timeLimit('4m'), '30', 'end it after so long'),
      ...asJson,
    },
    async run([id, command], { unit, timeout, json }) {
      const began = performance.now();
      const { results } = await (await operatorOfHere()).exec(id, { command, unit, timeout });
      if (json) printJson(results);
      for (const { unit: name, code, output } of json ? [] : results) {
        if (results.length > 1) print(`--- ${name}: exit code ${code}`);
        printText(output);
        if (code < 0) console.error(cutShort(name, timeout, performance.now() - began));
      }
      return exitCodeOf(results.map(({ code }) => code));
    },
  }),
  defineCommand({
    words: 'instances log',
    description: 'Show what the units wrote last.',
    arguments: [instanceId],
    options: {
      unit: option('--unit <name>', someText(), 'of this unit only'),
      lines: optionWithDefault('--lines <number>', wholeNumber(1, 10_000), '100', 'so many'),
      ...asJson,
    },
    async run([id], { unit, lines, json }) {
      const { units } = await (await operatorOfHere()).log(id, { unit, lines: String(lines) });
      if (json) printJson(units);
      for (const { unit: name, text } of json ? [] : units) {
        if (units.length > 1) print(`--- ${name}`);
        printText(text.endsWith('\n') || text === '' ? text : `${text}\n`);
      }
      return 0;
    },
  }),
];

function act(verb: 'start' | 'stop' | 'restart', description: string): CliCommand {
  return defineCommand({
    words: `instances ${verb}`,
    description,
    arguments: [instanceId, anyArguments('units', someText(), 'the names of units')],
    options: asJson,
    run: async ([id, units], { json }) => actOn(verb, { id, json }, units.length > 0 ? { units } : {}),
  });
}

interface Subject {
  readonly id: string;
  readonly json: true | undefined;
}

function actOn(verb: InstanceAction, { id, json }: Subject, body: ActionBody): Promise<number> {
  return doAndTell({ verb, id, json }, (client) => client.act(id, verb, body));
}

/** The broker tells only that it did not end by itself; what is quicker than its limit was ended by something else. */
function cutShort(unit: string, limit: number, ms: number): string {
  const why =
    ms < limit ? 'by a signal, or since it wrote too much' : `at its time limit of ${limit / 1000} s`;
  return `${unit}: the command was ended ${why}.`;
}

/** That of the command where there was one; 1 where any of several failed. */
function exitCodeOf(codes: readonly number[]): number {
  const [only = 0, ...more] = codes;
  if (more.length === 0) return only < 0 ? 1 : only;
  return codes.every((code) => code === 0) ? 0 : 1;
}
