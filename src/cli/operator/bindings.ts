import { nodeName } from '../../config/kinds.ts';
import { defineCommand } from '../command.ts';
import { asJson, option, someText } from '../parameters.ts';
import { printFor } from '../output/print.ts';
import { table } from '../table.ts';
import { userOf } from './instance-answers.ts';
import { findBindings, listOptions } from './lists.ts';
import { operatorOfHere } from './asking/operator-of-here.ts';

/** Who uses what, over all instances. */
export const bindings = defineCommand({
  words: 'bindings',
  description: 'Show the bindings of all instances and how they are.',
  options: {
    instance: option('--instance <id>', someText(), 'only those of this instance'),
    node: option('--node <name>', nodeName(), 'only those of instances on this node'),
    ...listOptions,
    plan: option('--plan <name>', someText(), 'only those of this plan'),
    platform: option('--platform <name>', someText(), 'only those of this platform, e.g. cloudfoundry'),
    organization: option('--organization <name>', someText(), 'only those of this organization or team'),
    space: option('--space <name>', someText(), 'only those of this space or namespace'),
    app: option('--app <id>', someText(), 'only those of this application, by its id'),
    state: option('--state <state>', someText(), 'only those that are e.g. bound, failed or expired'),
    ...asJson,
  },
  async run(_given, { json, limit, olderThan, youngerThan, ...rest }) {
    const query = { ...rest, older_than: olderThan, younger_than: youngerThan };
    const found = await findBindings(await operatorOfHere(), query, limit);
    const rows = found.map((one) => [
      one.id,
      one.instance_id,
      one.offering,
      one.plan,
      one.state,
      userOf(one),
      one.created_at,
    ]);
    const heads = ['BINDING', 'INSTANCE', 'OFFERING', 'PLAN', 'STATE', 'USED BY', 'SINCE'];
    printFor(json, found, table(heads, rows));
    return 0;
  },
});
