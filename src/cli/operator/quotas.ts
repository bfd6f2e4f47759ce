import type { QuotaAnswer } from '../../protocols/operator/wire/broker.ts';
import { defineCommand } from '../command.ts';
import { printFor } from '../output/print.ts';
import { asJson } from '../parameters.ts';
import { table, type Cell } from '../table.ts';
import { operatorOfHere } from './asking/operator-of-here.ts';

export const quotas = defineCommand({
  words: 'quotas',
  description: 'Show every quota, and who uses how much of it.',
  options: asJson,
  async run(_given, { json }) {
    const { quotas: all } = await (await operatorOfHere()).quotas();
    const heads = ['OFFERING', 'PLAN', 'PER', 'WHO', 'INSTANCES', 'COST', 'FROM'];
    printFor(json, all, table(heads, all.flatMap(rowsOf)));
    return 0;
  },
});

/** One for each who uses something; one, too, where nobody does. */
function rowsOf(quota: QuotaAnswer): readonly (readonly Cell[])[] {
  const { offering = 'all', plan = 'all', per, uses } = quota;
  const shown: QuotaAnswer['uses'] = uses.length > 0 ? uses : [{ instances: 0, cost: 0 }];
  return shown.map((use) => {
    const { instances, cost, from } = use.exception ?? quota;
    const used = [ofLimit(use.instances, instances), ofLimit(use.cost, cost)];
    return [offering, plan, per, use.name ?? use.owner, ...used, from];
  });
}

function ofLimit(used: number, limit: number | undefined): Cell {
  return limit === undefined ? used : `${used} of ${limit}`;
}
