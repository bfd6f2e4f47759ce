import { defineCommand } from '../command.ts';
import { asJson, flag, option, someText } from '../parameters.ts';
import { print, printFor } from '../output/print.ts';
import { printable, table, type Cell } from '../table.ts';
import type { OperatorQuery } from '../../protocols/operator/exchange.ts';
import type { ListedOperationAnswer } from '../../protocols/operator/wire/operations.ts';
import { describeOperation, personIn } from './instance-answers.ts';
import { follow } from './asking/follow.ts';
import { findOperations, listOptions } from './lists.ts';
import { operatorOfHere } from './asking/operator-of-here.ts';

/** Operations shown where nothing is said: there may be a month of them. */
const usualLimit = 100;

/** What was done, by whom and how it ended, over all instances. */
export const operations = defineCommand({
  words: 'operations',
  description: 'Show what is done and was done, the latest first, and why what failed has failed.',
  options: {
    state: option('--state <state>', someText(), 'only those that are in-progress, succeeded or failed'),
    kind: option('--kind <kind>', someText(), 'only those of this kind, e.g. provision'),
    instance: option('--instance <id>', someText(), 'only those of this instance'),
    ...listOptions,
    follow: flag('--follow', 'the oldest first, and go on with each that begins or ends, until Ctrl-C'),
    ...asJson,
  },
  async run(_given, { limit = usualLimit, olderThan, youngerThan, follow: isFollowed, json, ...rest }) {
    const query = { ...rest, older_than: olderThan, younger_than: youngerThan };
    const asText = (one: ListedOperationAnswer) =>
      json
        ? JSON.stringify(one)
        : rowOf(one)
            .map((cell) => printable(String(cell)))
            .join('  ');
    if (isFollowed) {
      if (olderThan !== undefined)
        throw new Error('--older-than leaves nothing to follow: leave one of both out.');
      return followOperations(query, limit, (one) => print(asText(one)));
    }
    const found = await findOperations(await operatorOfHere(), query, limit);
    printFor(json, found, table(heads, found.map(rowOf)));
    return 0;
  },
});

const heads = ['OPENED', 'INSTANCE', 'ASKED BY', 'ID', 'OPERATION'];

function rowOf(one: ListedOperationAnswer): readonly Cell[] {
  const { created_at: opened, instance_id: instance, requester, asked_by: by } = one;
  const who = personIn(requester) ?? by.principal ?? by.protocol;
  return [opened, instance, who, one.id, describeOperation(one)];
}

/** The state is what changes: so it is looked at here, and not asked for. */
async function followOperations(
  { state, ...query }: OperatorQuery,
  limit: number,
  tell: (one: ListedOperationAnswer) => void,
): Promise<never> {
  const client = await operatorOfHere();
  const wanted = state?.replace('in-progress', 'in progress');
  return follow<ListedOperationAnswer>({
    async recent(within) {
      const found =
        within === undefined
          ? await findOperations(client, query, limit)
          : await findOperations(client, { ...query, younger_than: secondsOf(within) });
      return found.toReversed();
    },
    async again({ id, instance_id: instance, kind }) {
      return (await findOperations(client, { instance, kind })).find((one) => one.id === id);
    },
    idOf: ({ id }) => id,
    isOpen: (one) => one.state === 'in progress',
    tell: (one) => (wanted === undefined || one.state === wanted ? tell(one) : undefined),
  });
}

/** As an age is written, at most eleven days. */
function secondsOf(ms: number): string {
  return `${Math.min(Math.ceil(ms / 1000), 999_999)}s`;
}
