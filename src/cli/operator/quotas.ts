import type { QuotaAnswer } from '../../protocols/operator/wire/broker.ts';
import { defineCommand } from '../command.ts';
import { print } from '../output/print.ts';
import { table, type Cell } from '../table.ts';
import { operatorOfHere } from './operator-of-here.ts';

export const quotas = defineCommand({
  words: 'quotas',
  description: 'Show every quota, and who uses how much of it.',
  async run() {
    const { quotas: all } = await operatorOfHere().quotas();
    print(table(['OFFERING', 'PLAN', 'PER', 'WHO', 'INSTANCES', 'COST'], all.flatMap(rowsOf)));
    return 0;
  },
});

/** One for each who uses something; one, too, where nobody does. */
function rowsOf({ offering, plan, per, instances, cost, uses }: QuotaAnswer): readonly (readonly Cell[])[] {
  const shown = uses.length > 0 ? uses : [{ name: undefined, owner: undefined, instances: 0, cost: 0 }];
  return shown.map((use) => [
    offering,
    plan ?? 'all',
    per,
    use.name ?? use.owner,
    ofLimit(use.instances, instances),
    ofLimit(use.cost, cost),
  ]);
}

function ofLimit(used: number, limit: number | undefined): Cell {
  return limit === undefined ? used : `${used} of ${limit}`;
}
