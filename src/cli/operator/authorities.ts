import { durationOption, wholeNumber } from '../../config/kinds.ts';
import type { AuthorityAnswer } from '../../protocols/operator/wire/authorities.ts';
import { defineCommand, type CliCommand } from '../command.ts';
import { printFor } from '../output/print.ts';
import { asJson, option, optionWithDefault } from '../parameters.ts';
import { table } from '../table.ts';
import { operatorOfHere } from './asking/operator-of-here.ts';

/** By whom certificates of instances are signed. */
export const authorityCommands: readonly CliCommand[] = [
  defineCommand({
    words: 'authorities',
    description:
      'Show the authorities that sign certificates of instances: which signs, and which bindings are told of.',
    options: asJson,
    async run(_given, { json }) {
      const { authorities } = await (await operatorOfHere()).authorities();
      printFor(json, authorities, table(heads, authorities.map(rowOf)));
      return 0;
    },
  }),
  defineCommand({
    words: 'authorities renew',
    description: 'Make the next authority before its time, or say anew when the next one signs.',
    options: {
      signsAfter: optionWithDefault(
        '--signs-after <duration>',
        durationOption('0s', '365d'),
        '30d',
        'from now on; until then applications have time to be bound again',
      ),
      authority: option(
        '--authority <number>',
        wholeNumber(1, 999_999),
        'which one, to say again what was said before',
      ),
      ...asJson,
    },
    async run(_given, { signsAfter, authority, json }) {
      const client = await operatorOfHere();
      const generation = authority ?? nextOf((await client.authorities()).authorities);
      const renewed = await client.renewAuthority(generation, { signs_after: signsAfter });
      printFor(json, renewed, told(renewed));
      return 0;
    },
  }),
];

const heads = ['AUTHORITY', 'SIGNS', 'BINDINGS ARE TOLD', 'FROM', 'UNTIL'];

function rowOf({ generation, signs, signs_from: from, trusted, ...life }: AuthorityAnswer) {
  const isAhead = from !== undefined && Date.parse(from) > Date.now();
  const signing = signs ? 'yes' : isAhead ? `from ${from}` : 'no';
  return [generation, signing, trusted ? 'yes' : 'no', life.not_before, life.not_after];
}

/** One that is there and does not sign yet, else the one after all that there are. */
function nextOf(authorities: readonly AuthorityAnswer[]): number {
  const newest = authorities.at(-1);
  if (!newest) return 1;
  return newest.signs ? newest.generation + 1 : newest.generation;
}

function told({ generation, signs, signs_from: from }: AuthorityAnswer): string {
  if (signs) return `Authority ${generation} signs from now on. Bind again what was bound before.`;
  return `Authority ${generation} is told to new bindings, and signs from ${from}. Bind again until then what was bound before.`;
}
