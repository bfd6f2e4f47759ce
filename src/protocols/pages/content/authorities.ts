import type { AuthorityAnswer } from '../../operator/wire/authorities.ts';
import type { Call } from '../../protocol.ts';
import type { Ask } from '../ask.ts';
import { actionLinks } from './actions.ts';
import type { Cell, PageContent, Table } from './parts.ts';
import { badge, cell, moment, soft, text } from './words.ts';

/** By whom certificates of instances are signed, and the way to the next one. */
export async function authoritiesPage(
  ask: Ask,
  { readsOnly = false }: Pick<Call, 'readsOnly'>,
): Promise<PageContent> {
  const { authorities } = await ask('authorities');
  const next = nextOf(authorities);
  return {
    title: 'Authorities',
    below: cell(soft('They sign the certificates of instances that speak TLS, each after the one before.')),
    sections: [
      {
        parts: [
          authorityTable(authorities),
          actionLinks(!readsOnly, ['renew-authority'], { authority: next }),
        ],
      },
    ],
  };
}

/** One that is there and does not sign yet, else the one after all that there are. */
function nextOf(authorities: readonly AuthorityAnswer[]): string {
  const newest = authorities.at(-1);
  return String(newest ? newest.generation + Number(newest.signs) : 1);
}

function authorityTable(authorities: readonly AuthorityAnswer[]): Table {
  const columns = [
    { name: 'Authority' },
    { name: 'Signs' },
    { name: 'New bindings are told of it' },
    { name: 'Valid from (UTC)' },
    { name: 'Valid until (UTC)' },
  ];
  const rows = authorities.map((one) => [
    cell(text(one.generation)),
    signingOf(one),
    cell(text(one.trusted ? 'yes' : 'no')),
    cell(moment(one.not_before)),
    cell(moment(one.not_after)),
  ]);
  const empty = 'There is none yet: the first one is made when an instance needs a certificate.';
  return { is: 'table', label: 'Authorities', columns, rows, empty };
}

function signingOf({ signs, signs_from: from, not_after: end }: AuthorityAnswer): Cell {
  if (signs) return cell(badge('signs'));
  const isAhead = from !== undefined && Date.parse(from) > Date.now();
  if (isAhead) return cell(text('from'), moment(from));
  return cell(text(Date.parse(end) < Date.now() ? 'its time is over' : 'no'));
}
