import type { UnitStatus } from '../../../broker/units.ts';
import type { NodeAnswer, OfferingAnswer, OrphanAnswer } from '../../operator/wire/broker.ts';
import type { Ask } from '../ask.ts';
import { pathTo } from '../paths.ts';
import { durationChart, kindTable, rateChart, readDay } from './day.ts';
import { instancesOf, type OfferingNames, offeringNames, operationTable } from './lists.ts';
import { nodeTable } from './nodes.ts';
import type { Cell, Figures, PageContent, Part, Piece, Section, Shares } from './parts.ts';
import { alarming, cell, count, duration, soft, text, toneOf } from './words.ts';

/** How many instances there are, as it was counted last. */
export interface Counted {
  readonly stock: {
    readonly instances: readonly {
      readonly offering: string;
      readonly status: UnitStatus;
      readonly count: number;
    }[];
    readonly drifted: ReadonlyMap<string, number>;
  };
  readonly ageMs: number;
}

/** Undefined: the first count goes on. */
export type Count = () => Promise<Counted | undefined>;

export async function overviewPage(ask: Ask, stock: Count): Promise<PageContent> {
  const [day, counted, { nodes }, { offerings }, { orphans }, names] = await Promise.all([
    readDay(ask, Date.now()),
    stock(),
    ask('nodes'),
    ask('offerings'),
    ask('orphans'),
    offeringNames(ask),
  ]);
  const failed = day.operations.filter(({ state }) => state === 'failed');
  const running = day.operations.filter(({ state }) => state === 'in progress');
  return {
    title: 'Overview',
    live: true,
    sections: [
      attention({ failed, counted, nodes, offerings, orphans }, names),
      { title: 'Now', note: ageOf(counted), parts: [figuresOf(counted, nodes, running.length)] },
      { title: 'Instances', parts: [counted ? sharesOf(counted) : counting] },
      { title: 'Operations of the last day', parts: [rateChart(day), durationChart(day), kindTable(day)] },
      { title: 'Nodes', parts: [nodeTable(nodes)] },
    ],
  };
}

const counting: Part = { is: 'text', text: 'They are being counted; the numbers come by themselves.' };

function ageOf(counted: Counted | undefined): Cell | undefined {
  return counted && counted.ageMs > 60_000
    ? cell(soft(`Counted ${duration(counted.ageMs)} ago.`))
    : undefined;
}

interface Looked {
  readonly failed: Parameters<typeof operationTable>[1];
  readonly counted: Counted | undefined;
  readonly nodes: readonly NodeAnswer[];
  readonly offerings: readonly OfferingAnswer[];
  readonly orphans: readonly OrphanAnswer[];
}

/** Failures that are shown here; the others have a list. */
const failuresShown = 8;

/** What went wrong comes first; nothing of it is a sentence too. */
function attention({ failed, counted, nodes, offerings, orphans }: Looked, names: OfferingNames): Section {
  const down = nodes.filter(({ state }) => state === 'down');
  const hidden = offerings.filter(({ on_sale: onSale }) => !onSale);
  const final = orphans.filter((orphan) => orphan.final);
  const troubles = [
    ...alarming.map((status) => ({
      n: sumOf(counted, (one) => one.status === status),
      name: `Instances: ${status}`,
      href: instancesOf({ status }),
      tone: toneOf(status),
    })),
    { n: down.length, name: 'Nodes down', href: pathTo('nodes'), tone: 'bad' as const },
    { n: hidden.length, name: 'Offerings hidden', href: pathTo('catalog'), tone: 'warn' as const },
    { n: final.length, name: 'Orphans', href: pathTo('orphans'), tone: 'warn' as const },
  ].filter(({ n }) => n > 0);
  const figures = troubles.map(({ n, ...one }) => ({ ...one, value: n.toLocaleString('en') }));
  if (figures.length === 0 && failed.length === 0)
    return { title: 'Needs a look', parts: [{ is: 'text', text: allWell, tone: 'good' }] };
  const more = failed.length - failuresShown;
  return {
    title: 'Needs a look',
    parts: [
      figures.length > 0 ? { is: 'figures', figures } : undefined,
      failed.length > 0
        ? operationTable('Failed operations', failed.slice(0, failuresShown), names, '')
        : undefined,
      more > 0
        ? {
            is: 'links',
            label: 'Failed operations',
            links: [
              {
                text: `${more} more failed in the last day`,
                href: pathTo('operations', { state: 'failed', younger_than: '24h' }),
              },
            ],
          }
        : undefined,
    ],
  };
}

const allWell = 'Nothing has failed in the last day, and nothing else needs a look.';

function sumOf(
  counted: Counted | undefined,
  isMeant: (one: Counted['stock']['instances'][number]) => boolean = () => true,
): number {
  return (counted?.stock.instances ?? []).filter(isMeant).reduce((sum, one) => sum + one.count, 0);
}

function figuresOf(counted: Counted | undefined, nodes: readonly NodeAnswer[], running: number): Figures {
  const drifted = [...(counted?.stock.drifted.values() ?? [])].reduce((sum, n) => sum + n, 0);
  const up = nodes.filter(({ state }) => state === 'up').length;
  return {
    is: 'figures',
    figures: [
      {
        name: 'Instances',
        value: counted ? sumOf(counted).toLocaleString('en') : '…',
        href: instancesOf({}),
      },
      {
        name: 'Drifted from their plan',
        value: counted ? drifted.toLocaleString('en') : '…',
        href: instancesOf({ drifted: 'true' }),
      },
      {
        name: 'Operations in progress',
        value: running.toLocaleString('en'),
        href: pathTo('operations', { state: 'in-progress' }),
      },
      { name: 'Nodes up', value: `${up} of ${nodes.length}`, href: pathTo('nodes') },
    ],
  };
}

/** Good ones first, so that what is wrong stands at the end of every bar. */
const order = [
  'started',
  'stopped',
  'building',
  'unreachable',
  'error',
  'down',
] as const satisfies readonly UnitStatus[];

function sharesOf({ stock }: Counted): Shares | Part {
  const rows = [...Map.groupBy(stock.instances, ({ offering }) => offering)].map(([offering, own]) => {
    const numbers = order.map((status) => ({
      status,
      n: own.filter((one) => one.status === status).reduce((sum, one) => sum + one.count, 0),
    }));
    return {
      offering,
      numbers: numbers.filter(({ n }) => n > 0),
      total: own.reduce((sum, one) => sum + one.count, 0),
    };
  });
  if (rows.length === 0) return { is: 'text', text: 'There are none yet.' };
  const most = Math.max(...rows.map(({ total }) => total));
  return {
    is: 'shares',
    label: 'Instances by offering and status',
    first: 'Offering',
    rows: rows
      .toSorted((a, b) => b.total - a.total || a.offering.localeCompare(b.offering))
      .map(({ offering, numbers, total }) => {
        let x = 0;
        const bars = numbers.map(({ status, n }) => {
          const bar = { x: x.toFixed(2), width: ((100 * n) / most).toFixed(2), tone: toneOf(status) };
          x += (100 * n) / most;
          return bar;
        });
        const says = numbers.map(({ status, n }): Piece => ({
          text: `${n.toLocaleString('en')} ${status}`,
          tone: toneOf(status),
          href: instancesOf({ offering, status }),
        }));
        return {
          name: text(offering, { href: instancesOf({ offering }) }) as Piece,
          total: count(total, '', '').trim(),
          bars,
          says,
        };
      }),
  };
}
