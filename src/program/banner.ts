import type { Catalog } from '../broker/catalog.ts';
import type { OnSale } from '../broker/on-sale.ts';
import { hiddenLine } from './hidden-line.ts';
import { version } from './version.ts';

export interface Introduction {
  /** Where it listens, and where the others reach it. */
  readonly address: string;
  readonly publicUrl: string;
  /** A file with the authorities that callers have to trust, where they may not do so by themselves. */
  readonly authority?: string | undefined;
  readonly offered: OnSale;
  /** Where the state is, in words. */
  readonly database: string;
  readonly username: string;
  /** Only one that was made here; others are known to whoever set them. */
  readonly madePassword?: { readonly value: string; readonly file: string } | undefined;
  /** Absent: it is none. */
  readonly node?: string;
  /** What keeps the limits of its instances, and what nothing keeps; absent: it is none. */
  readonly limits?: string;
  /** Absent: there is no operator API. */
  readonly operator?: { readonly username: string; readonly file?: string | undefined };
}

/** What a person wants to know after the start, with a line to paste. */
export function banner(introduction: Introduction): string {
  const { address, publicUrl, authority, offered, database, node, limits, username, madePassword, operator } =
    introduction;
  const { catalog, hidden } = offered;
  const login = madePassword ? `${username}:${madePassword.value}` : username;
  const trust = authority === undefined ? '' : `--cacert ${authority} `;
  // A certificate is for the name that others know.
  const asked = address.startsWith('https:') ? publicUrl : address;
  const rows = [
    ...(publicUrl === address ? [] : [['public', publicUrl]]),
    ['catalog', countOf(catalog)],
    ...catalog.offerings.map(({ name, plans }) => [
      '',
      `${name}: ${plans.map((plan) => plan.name).join(', ')}`,
    ]),
    ...(hidden.length > 0 ? [['hidden', hiddenLine(hidden)]] : []),
    ['state', database],
    ['node', node ?? 'none: nothing is made on this machine'],
    ...(limits === undefined ? [] : [['limits', limits]]),
    ['user', username],
    ...(madePassword ? [['password', `${madePassword.value} (kept in ${madePassword.file})`]] : []),
    ['operator', operatorLine(operator)],
  ];
  return [
    '',
    `Purveyor ${version()} listens on ${address}`,
    '',
    ...rows.map(([name = '', value]) => `  ${name.padEnd(9)} ${value}`),
    '',
    `  curl ${trust}-u ${login} -H 'X-Broker-API-Version: 2.17' ${asked}/v2/catalog`,
    '',
  ].join('\n');
}

function operatorLine(operator: Introduction['operator']): string {
  if (!operator) return 'off: OPERATOR_PASSWORD is not set';
  const { username, file } = operator;
  return file === undefined ? username : `${username} (its password is kept in ${file})`;
}

/** E.g. `2 services, 1 plan`. */
export function countOf({ offerings }: Catalog): string {
  const plans = offerings.reduce((sum, offering) => sum + offering.plans.length, 0);
  return `${counted(offerings.length, 'service')}, ${counted(plans, 'plan')}`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
