import type { Catalog } from '../broker/catalog.ts';
import { version } from './version.ts';

export interface Introduction {
  /** Where it listens, and where the others reach it. */
  readonly address: string;
  readonly publicUrl: string;
  readonly catalog: Catalog;
  /** Where the state is, in words. */
  readonly database: string;
  readonly username: string;
  /** Only one that was made here; others are known to whoever set them. */
  readonly madePassword?: { readonly value: string; readonly file: string };
}

/** What a person wants to know after the start, with a line to paste. */
export function banner(introduction: Introduction): string {
  const { address, publicUrl, catalog, database, username, madePassword } = introduction;
  const login = madePassword ? `${username}:${madePassword.value}` : username;
  const rows = [
    ...(publicUrl === address ? [] : [['public', publicUrl]]),
    ['catalog', countOf(catalog)],
    ...catalog.offerings.map(({ name, plans }) => [
      '',
      `${name}: ${plans.map((plan) => plan.name).join(', ')}`,
    ]),
    ['state', database],
    ['user', username],
    ...(madePassword ? [['password', `${madePassword.value} (kept in ${madePassword.file})`]] : []),
  ];
  return [
    '',
    `Purveyor ${version()} listens on ${address}`,
    '',
    ...rows.map(([name = '', value]) => `  ${name.padEnd(9)} ${value}`),
    '',
    `  curl -u ${login} -H 'X-Broker-API-Version: 2.17' ${address}/v2/catalog`,
    '',
  ].join('\n');
}

/** E.g. `2 services, 1 plan`. */
export function countOf({ offerings }: Catalog): string {
  const plans = offerings.reduce((sum, offering) => sum + offering.plans.length, 0);
  return `${counted(offerings.length, 'service')}, ${counted(plans, 'plan')}`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
