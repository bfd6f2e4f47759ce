import { durationOption, wholeNumber } from '../../config/kinds.ts';
import type { OperatorClient } from '../../protocols/operator/client.ts';
import type {
  UpgradeDetailsAnswer,
  UpgradeItemAnswer,
  UpgradeRunAnswer,
} from '../../protocols/operator/wire/upgrades.ts';
import { until } from '../../system/until.ts';
import { defineCommand, type CliCommand } from '../command.ts';
import { print, printFor, printJson } from '../output/print.ts';
import { argument, asJson, flag, option, optionWithDefault, someText } from '../parameters.ts';
import { table, type Cell } from '../table.ts';
import { operatorOfHere } from './asking/operator-of-here.ts';
import { listOptions, ownerOptions } from './lists.ts';

const runId = argument('run', someText(), 'the id of the run, as `upgrades` shows it');
const following = {
  follow: flag('--follow', 'show how it goes on until it has ended or waits; 1 unless all were upgraded'),
};

/** Upgrades of many instances as one run, which goes on whoever looks. */
export const upgradeCommands: readonly CliCommand[] = [
  defineCommand({
    words: 'upgrades',
    description: 'Show the runs of upgrades, the latest first.',
    options: { limit: option('--limit <number>', wholeNumber(1, 1000), 'at most so many'), ...asJson },
    async run(_given, { limit, json }) {
      const { upgrades } = await (
        await operatorOfHere()
      ).upgrades({
        limit: limit === undefined ? undefined : String(limit),
      });
      printFor(json, upgrades, table(runHeads, upgrades.map(runRow)));
      return 0;
    },
  }),
  defineCommand({
    words: 'upgrades show',
    description: 'Show one run with its instances.',
    arguments: [runId],
    options: {
      state: option('--state <state>', someText(), 'only instances that are e.g. failed or waiting'),
      limit: optionWithDefault('--limit <number>', wholeNumber(1, 1000), '100', 'at most so many instances'),
      ...following,
      ...asJson,
    },
    async run([id], { state, limit, follow, json }) {
      const client = await operatorOfHere();
      if (follow) return followRun(client, id, json);
      const found = await client.upgradeRun(id, { state, limit: String(limit) });
      printFor(json, found, pageOf(found));
      return 0;
    },
  }),
  defineCommand({
    words: 'upgrades start',
    description: 'Upgrade all instances whose plan has changed since they were made or upgraded last.',
    options: {
      offering: listOptions.offering,
      plan: option('--plan <name>', someText(), 'only those of this plan'),
      node: option('--node <name>', someText(), 'only those on this node'),
      ...ownerOptions,
      canaries: option('--canaries <number>', wholeNumber(0, 1000), 'so many first, then see how they are'),
      watch: optionWithDefault(
        '--watch <duration>',
        durationOption('0s', '1d'),
        '30s',
        'after which canaries must be up and well',
      ),
      approve: flag('--approve', 'wait after the canaries until the run is resumed'),
      atOnce: optionWithDefault('--at-once <number>', wholeNumber(1, 100), '1', 'at most so many at a time'),
      stopAfter: optionWithDefault(
        '--stop-after <number>',
        wholeNumber(1, 1_000_000),
        '1',
        'pause when so many have failed',
      ),
      ...following,
      ...asJson,
    },
    async run(_given, { atOnce, stopAfter, organizationGuid, spaceGuid, follow, json, ...rest }) {
      const client = await operatorOfHere();
      const begun = await client.startUpgrades({
        ...rest,
        organization_guid: organizationGuid,
        space_guid: spaceGuid,
        at_once: atOnce,
        stop_after: stopAfter,
      });
      if (!follow || !json) printFor(json, begun, `The run is ${begun.id}: ${progressOf(begun)}.`);
      return follow ? followRun(client, begun.id, json) : 0;
    },
  }),
  change('pause', 'Begin no more upgrades of a run until it is resumed; what has begun ends by itself.'),
  change('resume', 'Go on with a run that is paused, also when its canaries or failures have paused it.'),
  change('cancel', 'End a run; what has begun ends by itself.'),
];

function change(verb: 'pause' | 'resume' | 'cancel', description: string): CliCommand {
  return defineCommand({
    words: `upgrades ${verb}`,
    description,
    arguments: [runId],
    options: { ...following, ...asJson },
    async run([id], { follow, json }) {
      const client = await operatorOfHere();
      const changed = await client.changeUpgrades(id, verb);
      if (follow) return followRun(client, id, json);
      printFor(json, changed, `The run is ${changed.state}: ${progressOf(changed)}.`);
      return 0;
    },
  });
}

/** Milliseconds between two questions. */
const followEvery = { first: 200, longest: 2000, factor: 1.3 };

/** Tells each change until there is nothing more to wait for; then what has failed. */
async function followRun(client: OperatorClient, id: string, json: true | undefined): Promise<number> {
  let told = '';
  const last = await until(async () => {
    const run = await client.upgradeRun(id, { limit: '1' });
    const progress = `${run.state}: ${progressOf(run)}`;
    if (progress !== told && !json) print(progress);
    told = progress;
    return hasEnded(run) && run;
  }, followEvery);
  if (!last) return 1;
  const { items: failed } = await client.upgradeRun(id, { state: 'failed', limit: '1000' });
  if (json) printJson({ ...last, items: failed, next: undefined });
  else {
    if (last.reason !== undefined) print(last.reason);
    if (failed.length > 0) print(table(itemHeads, failed.map(itemRow)));
  }
  return last.state === 'succeeded' ? 0 : 1;
}

/** Nothing more happens, unless an operator does something. */
function hasEnded({ state, instances }: UpgradeRunAnswer): boolean {
  return state === 'paused' ? instances.started === 0 : state !== 'running' && state !== 'cancelling';
}

function progressOf({ instances }: UpgradeRunAnswer): string {
  const { succeeded, failed, skipped, started, waiting } = instances;
  const all = succeeded + failed + skipped + started + waiting;
  const others = Object.entries({ 'under way': started, failed, skipped, waiting });
  const told = others.flatMap(([word, count]) => (count > 0 ? [`${count} ${word}`] : []));
  return [`${succeeded} of ${all} upgraded`, ...told].join(', ');
}

const runHeads = ['RUN', 'STARTED', 'BY', 'STATE', 'INSTANCES'];

function runRow(run: UpgradeRunAnswer): readonly Cell[] {
  return [run.id, run.created_at, run.principal, run.state, progressOf(run)];
}

const itemHeads = ['INSTANCE', 'STATE', 'CANARY', 'OPERATION', 'REASON'];

function itemRow(item: UpgradeItemAnswer): readonly Cell[] {
  return [item.instance_id, item.state, item.canary ? 'yes' : 'no', item.operation_id, item.reason];
}

function pageOf(run: UpgradeDetailsAnswer): string {
  const filter = Object.entries(run.filter).map(([name, value]) => `${name} ${value}`);
  const lines: readonly (readonly [string, Cell])[] = [
    ['state', run.state],
    ['reason', run.reason],
    ['of', filter.join(', ') || 'all'],
    ['instances', progressOf(run)],
    ['canaries', `${run.canaries}${run.approve ? ', then it waits to be resumed' : ''}`],
    ['at once', run.at_once],
    ['stop after', run.stop_after],
    ['started', `${run.created_at} by ${run.principal ?? '-'}`],
    ['ended', run.finished_at],
  ];
  const head = lines.flatMap(([name, value]) => (value === undefined ? [] : [`${name.padEnd(12)}${value}`]));
  return [...head, '', table(itemHeads, run.items.map(itemRow))].join('\n');
}
