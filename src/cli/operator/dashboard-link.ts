import { durationOption } from '../../config/kinds.ts';
import { defineCommand } from '../command.ts';
import { printFor } from '../output/print.ts';
import { asJson, optionWithDefault } from '../parameters.ts';
import { operatorOfHere } from './asking/operator-of-here.ts';
import { instanceId } from './instances.ts';

/** For owners of instances whose platform does not sign them in. */
export const dashboardLink = defineCommand({
  words: 'instances dashboard-link',
  description: 'Print an address that opens the dashboard of one, for whoever has it, until it expires.',
  arguments: [instanceId],
  options: {
    for: optionWithDefault('--for <duration>', durationOption('1s', '7d'), '1h', 'so long'),
    ...asJson,
  },
  async run([id], { for: forMs, json }) {
    const link = await (await operatorOfHere()).dashboardLink(id, { for: forMs });
    printFor(json, link, `${link.url}\nIt opens the dashboard until ${link.expires_at}, for whoever has it.`);
    return 0;
  },
});
