import { defineCommand } from '../command.ts';
import { asJson, option, someText } from '../parameters.ts';
import { print, printJson } from '../output/print.ts';
import { table } from '../table.ts';
import { describeOperation, personIn } from './instance-answers.ts';
import { findOperations, listOptions } from './lists.ts';
import { operatorOfHere } from './operator-of-here.ts';

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
    ...asJson,
  },
  async run(_given, { json, limit = usualLimit, olderThan, youngerThan, ...rest }) {
    const query = { ...rest, older_than: olderThan, younger_than: youngerThan };
    const found = await findOperations(operatorOfHere(), query, limit);
    if (json) {
      printJson(found);
      return 0;
    }
    const rows = found.map((one) => [
      one.created_at,
      one.instance_id,
      personIn(one.requester) ?? one.asked_by.principal ?? one.asked_by.protocol,
      describeOperation(one),
    ]);
    print(table(['OPENED', 'INSTANCE', 'ASKED BY', 'OPERATION'], rows));
    return 0;
  },
});
