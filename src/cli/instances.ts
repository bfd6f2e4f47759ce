import type { CliCommand } from './command.ts';
import { describeOperation, instancePage, instanceTable } from './instance-answers.ts';
import type {
  ActionAnswer,
  ExecAnswer,
  InstanceAnswer,
  InstanceDetailsAnswer,
  InstancesAnswer,
  LogAnswer,
  OperationAnswer,
} from '../protocols/operator/wire.ts';
import { until } from '../system/until.ts';
import type { OperatorClient, OperatorQuery } from '../protocols/operator/client.ts';
import { operatorOfHere } from './operator-of-here.ts';

/** Of a line, where no terminal says how wide it is. */
const usualWidth = 80;
/** Seconds that a command may take when nothing is said. */
const usualLimit = 30;

/** Instances: how they are, and what can be done with their units. */
export const instanceCommands: readonly CliCommand[] = [
  {
    usage: 'instances',
    description: 'Show the service instances and how they are.',
    options: {
      '--node <name>': 'only those on this node',
      '--offering <name>': 'only those of this offering',
      '--drifted': 'only those whose plan has changed since, down to its hooks',
      '--wide': 'all columns, however wide the lines become',
    },
    async run(_args, { node, offering, drifted, wide }) {
      const query = { node, offering, drifted: drifted ? 'true' : undefined };
      const width = wide ? Infinity : (process.stdout.columns ?? usualWidth);
      console.log(instanceTable(await findAll(operatorOfHere(), query), width));
      return 0;
    },
  },
  {
    usage: 'instances show <id>',
    description: 'Show one with its units and what was done with it, step by step.',
    async run([id = '']) {
      console.log(instancePage(await operatorOfHere().get<InstanceDetailsAnswer>(pathOf(id))));
      return 0;
    },
  },
  act('start', 'Start units; all, unless some are named.'),
  act('stop', 'Stop units; their data stays.'),
  act('restart', 'Restart units.'),
  {
    usage: 'instances recreate <id>',
    description: 'Make one anew that was lost with its node: empty, with new credentials.',
    run: async ([id = '']) => actOn('recreate', id, {}),
  },
  {
    usage: 'instances exec <id> <command...>',
    description: 'Run a command beside the units; write -- before it when it has options of its own.',
    options: {
      '--unit <name>': 'beside this unit only',
      '--timeout <seconds>': `end it after so long; ${usualLimit} when nothing is said`,
    },
    async run([id = '', ...command], { unit, timeout }) {
      const limit = timeout === undefined ? usualLimit : Number(timeout);
      const body = { command, unit, timeout: limit * 1000 };
      const began = performance.now();
      const { results } = await operatorOfHere().post<ExecAnswer>(`${pathOf(id)}/exec`, body);
      for (const { unit: name, code, output } of results) {
        if (results.length > 1) console.log(`--- ${name}: exit code ${code}`);
        process.stdout.write(output);
        if (code < 0) console.error(cutShort(name, limit, performance.now() - began));
      }
      return exitCodeOf(results.map(({ code }) => code));
    },
  },
  {
    usage: 'instances log <id>',
    description: 'Show what the units wrote last.',
    options: {
      '--unit <name>': 'of this unit only',
      '--lines <number>': 'so many; 100 when nothing is said',
    },
    async run([id = ''], { unit, lines }) {
      const { units } = await operatorOfHere().get<LogAnswer>(`${pathOf(id)}/log`, { unit, lines });
      for (const { unit: name, text } of units) {
        if (units.length > 1) console.log(`--- ${name}`);
        process.stdout.write(text.endsWith('\n') || text === '' ? text : `${text}\n`);
      }
      return 0;
    },
  },
];

function pathOf(id: string): string {
  return `/operator/instances/${encodeURIComponent(id)}`;
}

/** All that fit, however many pages that are. */
export async function findAll(
  client: OperatorClient,
  query: OperatorQuery,
): Promise<readonly InstanceAnswer[]> {
  const found: InstanceAnswer[] = [];
  let after: string | undefined;
  do {
    const page: InstancesAnswer = await client.get('/operator/instances', { ...query, after });
    found.push(...page.instances);
    after = page.next;
  } while (after !== undefined);
  return found;
}

function act(verb: 'start' | 'stop' | 'restart', description: string): CliCommand {
  return {
    usage: `instances ${verb} <id> [units...]`,
    description,
    run: async ([id = '', ...units]) => actOn(verb, id, units.length > 0 ? { units } : {}),
  };
}

/** Has it done, waits for its end, and tells it. */
async function actOn(verb: string, id: string, body: object): Promise<number> {
  const client = operatorOfHere();
  const { operation } = await client.post<ActionAnswer>(`${pathOf(id)}/actions/${verb}`, body);
  const ended = operation && (await untilEnded(client, id, operation));
  console.log(ended ? describeOperation(ended) : `${verb} succeeded`);
  return ended?.state === 'failed' ? 1 : 0;
}

/** Milliseconds between two questions. */
const askEvery = { first: 200, longest: 2000, factor: 1.5 };

/** However long it takes: that of a node that is away goes on when the node is back. */
async function untilEnded(
  client: OperatorClient,
  id: string,
  operation: OperationAnswer,
): Promise<OperationAnswer> {
  let isTold = false;
  const ended = await until(async () => {
    const { operations, status, reason } = await client.get<InstanceDetailsAnswer>(pathOf(id));
    const now = operations.find((one) => one.id === operation.id);
    if (now && now.state !== 'in progress') return now;
    if (status === 'down' && !isTold) {
      isTold = true;
      console.error(waitingFor(operation, reason));
    }
    return undefined;
  }, askEvery);
  return ended ?? operation;
}

function waitingFor({ kind }: OperationAnswer, reason: string): string {
  return `Waiting: ${reason}. Ctrl-C ends the waiting; the ${kind} is carried out all the same when that is over.`;
}

/** The broker tells only that it did not end by itself; what is quicker than its limit was ended by something else. */
function cutShort(unit: string, limit: number, ms: number): string {
  const why =
    ms < limit * 1000 ? 'by a signal, or since it wrote too much' : `at its time limit of ${limit} s`;
  return `${unit}: the command was ended ${why}.`;
}

/** That of the command where there was one; 1 where any of several failed. */
function exitCodeOf(codes: readonly number[]): number {
  const [only = 0, ...more] = codes;
  if (more.length === 0) return only < 0 ? 1 : only;
  return codes.every((code) => code === 0) ? 0 : 1;
}
