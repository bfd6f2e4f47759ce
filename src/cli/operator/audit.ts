import { oneOf, wholeNumber } from '../../config/kinds.ts';
import { auditOutcomes, auditVerbs } from '../../broker/audit.ts';
import type { OperatorQuery } from '../../protocols/operator/exchange.ts';
import type { AuditEntryAnswer } from '../../protocols/operator/wire/audit.ts';
import { defineCommand, type CliCommand } from '../command.ts';
import { print } from '../output/print.ts';
import { flag, jsonAnyway, option, optionWithDefault, someText } from '../parameters.ts';
import { printable, tableWithin } from '../table.ts';
import { follow } from './asking/follow.ts';
import { operatorOfHere } from './asking/operator-of-here.ts';

/** Of a line, where no terminal says how wide it is. */
const plainWidth = 120;

const filters = {
  instance: option('--instance <id>', someText(), 'only what was done to this instance and its bindings'),
  object: option('--object <id>', someText(), 'only what was done to this binding, node or orphan'),
  verb: option('--verb <verb>', oneOf(...auditVerbs), 'only this: provision, exec, drain, login ...'),
  principal: option('--principal <user>', someText(), 'only what this login has done'),
  outcome: option('--outcome <word>', oneOf(...auditOutcomes), 'only what succeeded, failed or was refused'),
  since: option('--since <time>', someText(), 'only from this time on, e.g. 2026-01-31T12:00:00Z'),
  until: option('--until <time>', someText(), 'only before this time'),
};

/** Who has done what. */
export const auditCommands: readonly CliCommand[] = [
  defineCommand({
    words: 'audit',
    description: 'Show who has done what, the latest first.',
    options: {
      ...filters,
      limit: optionWithDefault('--limit <number>', wholeNumber(1, 1000), '50', 'so many'),
      follow: flag('--follow', 'the oldest first, and go on with each that begins or ends, until Ctrl-C'),
      json: flag('--json', 'as JSON lines, with all that is known'),
    },
    async run(_given, { json, limit, follow: isFollowed, ...query }) {
      if (isFollowed) {
        const asText = (entry: AuditEntryAnswer) =>
          json ? JSON.stringify(entry) : rowOf(entry).map(printable).join('  ');
        return followAudit(query, limit, (entry) => print(asText(entry)));
      }
      const { entries } = await (await operatorOfHere()).audit({ ...query, limit: String(limit) });
      if (json) for (const entry of entries) print(JSON.stringify(entry));
      else print(auditTable(entries, process.stdout.columns ?? plainWidth));
      return 0;
    },
  }),
  defineCommand({
    words: 'audit export',
    description: 'Write the whole trail as JSON lines, the oldest first, for other programs.',
    options: { ...filters, ...jsonAnyway },
    async run(_given, { json: _anyway, ...query }) {
      for await (const entry of pages(query)) print(JSON.stringify(entry));
      return 0;
    },
  }),
];

/** One page after the other, so that it does not matter how many there are. */
async function* pages(query: OperatorQuery): AsyncGenerator<AuditEntryAnswer> {
  const client = await operatorOfHere();
  let after: string | undefined;
  do {
    const { entries, next } = await client.audit({ ...query, oldest_first: 'true', limit: '1000', after });
    yield* entries;
    after = next;
  } while (after !== undefined);
}

const heads = ['TIME', 'WHO', 'VERB', 'OBJECT', 'OUTCOME', 'CHANGE'];

function auditTable(entries: readonly AuditEntryAnswer[], width: number): string {
  return tableWithin(width, heads, entries.map(rowOf), ['VERB']);
}

function rowOf(entry: AuditEntryAnswer): readonly string[] {
  return [
    entry.at.replace(/\.\d+Z$/, 'Z'),
    entry.principal === undefined ? entry.protocol : `${entry.protocol}:${entry.principal}`,
    entry.verb,
    objectOf(entry),
    [entry.outcome ?? 'open', entry.reason].filter(Boolean).join(': '),
    changeOf(entry),
  ];
}

/** The outcome is what changes: so it is looked at here, and not asked for. */
async function followAudit(
  { outcome, ...query }: OperatorQuery,
  limit: number,
  tell: (entry: AuditEntryAnswer) => void,
): Promise<never> {
  if (query['until'] !== undefined)
    throw new Error('--until leaves nothing to follow: leave one of both out.');
  const client = await operatorOfHere();
  /** On the clock of the trail, which need not be that of this machine. */
  let latest: string | undefined;
  return follow<AuditEntryAnswer>({
    async recent(within = 0) {
      const found: AuditEntryAnswer[] = [];
      if (latest === undefined) {
        found.push(...(await client.audit({ ...query, limit: String(limit) })).entries.toReversed());
      } else {
        const since = new Date(Date.parse(latest) - within).toISOString();
        for await (const entry of pages({ ...query, since })) found.push(entry);
      }
      latest = found.at(-1)?.at ?? latest;
      return found;
    },
    async again({ id, at }) {
      const until = new Date(Date.parse(at) + 1).toISOString();
      for await (const entry of pages({ since: at, until })) if (entry.id === id) return entry;
      return undefined;
    },
    idOf: ({ id }) => id,
    isOpen: (entry) => entry.outcome === undefined,
    tell: (entry) => (outcome === undefined || entry.outcome === outcome ? tell(entry) : undefined),
  });
}

function objectOf({ kind, object_id: id, instance_id: instance }: AuditEntryAnswer): string {
  return kind === 'binding' ? `${instance} ${id}` : id;
}

/** Only what differs, of an update. */
function changeOf({ before = {}, after = {}, result }: AuditEntryAnswer): string {
  const names = Object.keys({ ...before, ...after });
  const told = names.flatMap((name) => {
    const [old, fresh] = [textOf(before[name]), textOf(after[name])];
    if (old === fresh) return [];
    return [`${name}=${old === '' || fresh === '' ? old + fresh : `${old}>${fresh}`}`];
  });
  return [...told, ...(result ? [JSON.stringify(result)] : [])].join(' ');
}

function textOf(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
