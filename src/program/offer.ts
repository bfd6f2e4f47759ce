import type { Catalog } from '../broker/catalog.ts';
import type { HiddenOffering } from '../broker/context.ts';
import type { Nodes, NodeState } from '../broker/nodes.ts';
import { createOnSale, type OnSale } from '../broker/on-sale.ts';
import type { Provisioner } from '../broker/provisioner.ts';

export interface OfferParts {
  readonly declared: () => Catalog;
  readonly nodes: Pick<Nodes, 'states'>;
  readonly provisioner: (name: string) => Provisioner;
  /**
   * Told of the offerings that were on sale, or never mentioned, and are hidden now: all of one look at once.
   * @param first is it the look with which all begins?
   */
  readonly onHidden: (hidden: readonly HiddenOffering[], first: boolean) => void;
  /** Told of every offering that was hidden and is on sale now. */
  readonly onShown: (name: string) => void;
  /** Milliseconds between two looks at the nodes. */
  readonly lookEvery?: number;
}

/** What is on sale: what is declared, as far as there are nodes and servers for it. */
export interface Offer {
  /** The same catalog as long as the same is on sale. */
  current(): OnSale;
  /** Looks at the nodes now. @throws Refusal unavailable */
  refresh(): Promise<void>;
  stop(): void;
}

/** @throws Refusal unavailable when the nodes cannot be listed */
export async function openOffer(parts: OfferParts): Promise<Offer> {
  const { declared, nodes, provisioner, lookEvery = 5000 } = parts;
  const offerOf = createOnSale(provisioner, () => new Date());
  let known: readonly NodeState[] = await nodes.states();
  let last:
    { readonly of: Catalog; readonly known: readonly NodeState[]; readonly offered: OnSale } | undefined;
  const told = new Map<string, string>();

  function current(): OnSale {
    const of = declared();
    if (last?.of === of && last.known === known) return last.offered;
    const isFirst = last === undefined;
    last = { of, known, offered: offerOf(of, known) };
    tell(last.offered, isFirst);
    return last.offered;
  }

  function tell({ hidden, catalog }: OnSale, isFirst: boolean): void {
    const news = hidden.filter(({ offering, reason }) => told.get(offering.name) !== reason);
    for (const { offering, reason } of news) told.set(offering.name, reason);
    if (news.length > 0) parts.onHidden(news, isFirst);
    for (const { name } of catalog.offerings) if (told.delete(name)) parts.onShown(name);
  }

  async function refresh(): Promise<void> {
    known = await nodes.states();
    current();
  }

  // While the database is away nobody knows better: what was on sale stays so.
  const timer = setInterval(() => void refresh().catch(() => undefined), lookEvery).unref();
  current();
  return { current, refresh, stop: () => clearInterval(timer) };
}
