import type { Ask } from '../ask.ts';
import { instancesOf } from './lists.ts';
import type { Count } from './overview.ts';
import type { PageContent } from './parts.ts';
import { amountOf, badge, cell, code, soft, text } from './words.ts';

/** Offerings with their counts, those that are hidden with the reason. */
export async function catalogPage(ask: Ask, stock: Count): Promise<PageContent> {
  const [{ offerings }, counted] = await Promise.all([ask('offerings'), stock()]);
  const instances = counted?.stock.instances ?? [];
  const number = (name: string) =>
    instances.filter(({ offering }) => offering === name).reduce((sum, one) => sum + one.count, 0);
  const rows = offerings
    .toSorted((a, b) => Number(a.on_sale) - Number(b.on_sale) || a.name.localeCompare(b.name))
    .map(({ id, name, description, on_sale: onSale, hidden }) => [
      cell(text(name), text(id, { code: true, soft: true })),
      cell(badge(onSale ? 'on sale' : 'hidden'), soft(hidden)),
      cell(text(description)),
      cell(
        counted
          ? text(number(name).toLocaleString('en'), { href: instancesOf({ offering: name }) })
          : undefined,
      ),
      cell(
        counted
          ? text((counted.stock.drifted.get(name) ?? 0).toLocaleString('en'), {
              href: instancesOf({ offering: name, drifted: 'true' }),
            })
          : undefined,
      ),
    ]);
  const columns = [
    { name: 'Offering' },
    { name: 'On sale' },
    { name: 'What it is' },
    { name: 'Instances', number: true },
    { name: 'Drifted', number: true },
  ];
  return {
    title: 'Catalog',
    sections: [
      { parts: [{ is: 'table', label: 'Offerings', columns, rows, empty: 'No offering file is loaded.' }] },
    ],
  };
}

export async function quotasPage(ask: Ask): Promise<PageContent> {
  const { quotas } = await ask('quotas');
  const rows = quotas.flatMap(({ offering = 'all offerings', plan, per, instances, cost, from, uses }) => {
    const limits = [
      instances === undefined ? undefined : `${amountOf(instances)} instances`,
      cost === undefined ? undefined : `cost ${amountOf(cost)}`,
    ].filter((one) => one !== undefined);
    const of = [
      cell(text(offering), soft(plan === undefined ? 'all plans' : plan)),
      cell(text(limits.join(', ')), soft(per === 'total' ? 'in all' : `per ${per}`)),
    ];
    if (uses.length === 0) return [[...of, cell(soft('nobody')), [], [], cell(soft(from))]];
    return uses.map((use) => [
      ...of,
      cell(
        text(use.name ?? (per === 'total' ? 'all' : (use.owner ?? 'nobody has said'))),
        code(use.name && use.owner),
      ),
      cell(shareOf(use.instances, use.exception ? use.exception.instances : instances)),
      cell(shareOf(use.cost, use.exception ? use.exception.cost : cost)),
      cell(soft(use.exception?.from ?? from)),
    ]);
  });
  const columns = [
    { name: 'Offering, plan' },
    { name: 'Quota' },
    { name: 'Used by' },
    { name: 'Instances' },
    { name: 'Cost' },
    { name: 'From' },
  ];
  const empty = 'There is no quota.';
  return { title: 'Quotas', sections: [{ parts: [{ is: 'table', label: 'Quotas', columns, rows, empty }] }] };
}

function shareOf(used: number, most: number | undefined) {
  if (most === undefined) return soft(amountOf(used));
  return { text: `${amountOf(used)} of ${amountOf(most)}`, share: most > 0 ? used / most : 1 };
}
