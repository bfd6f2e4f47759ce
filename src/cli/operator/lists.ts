import { wholeNumber } from '../../config/kinds.ts';
import type { OperatorClient } from '../../protocols/operator/client.ts';
import type { OperatorQuery } from '../../protocols/operator/exchange.ts';
import type { BackupAnswer } from '../../protocols/operator/wire/backups.ts';
import type { InstanceAnswer, ListedBindingAnswer } from '../../protocols/operator/wire/instances.ts';
import type { ListedOperationAnswer } from '../../protocols/operator/wire/operations.ts';
import { option, someText } from '../parameters.ts';

/** What every list can be asked for. */
export const listOptions = {
  offering: option('--offering <name>', someText(), 'only those of this offering'),
  olderThan: option(
    '--older-than <age>',
    someText(),
    'only those made so long ago or longer, e.g. 36h or 90d',
  ),
  youngerThan: option('--younger-than <age>', someText(), 'only those made no longer ago, e.g. 15m'),
  limit: option('--limit <number>', wholeNumber(1, 1_000_000), 'at most so many'),
};

/** Whose instances a list can be asked for. */
export const ownerOptions = {
  platform: option('--platform <name>', someText(), 'only those of this platform, e.g. cloudfoundry'),
  organization: option('--organization <name>', someText(), 'only those of this organization or team'),
  organizationGuid: option('--organization-guid <id>', someText(), 'the same by its id'),
  space: option('--space <name>', someText(), 'only those of this space or namespace'),
  spaceGuid: option('--space-guid <id>', someText(), 'the same by its id'),
};

const largestPage = 1000;

/** All instances that fit, however many pages that are; at most `limit`. */
export function findAll(
  client: OperatorClient,
  query: OperatorQuery,
  limit?: number,
): Promise<readonly InstanceAnswer[]> {
  return collect(limit, async (page) => {
    const { instances, next } = await client.instances({ ...query, ...page });
    return { found: instances, next };
  });
}

/** The same of operations. */
export function findOperations(
  client: OperatorClient,
  query: OperatorQuery,
  limit?: number,
): Promise<readonly ListedOperationAnswer[]> {
  return collect(limit, async (page) => {
    const { operations, next } = await client.operations({ ...query, ...page });
    return { found: operations, next };
  });
}

/** The same of bindings. */
export function findBindings(
  client: OperatorClient,
  query: OperatorQuery,
  limit?: number,
): Promise<readonly ListedBindingAnswer[]> {
  return collect(limit, async (page) => {
    const { bindings, next } = await client.bindings({ ...query, ...page });
    return { found: bindings, next };
  });
}

/** The same of backups. */
export function findBackups(
  client: OperatorClient,
  query: OperatorQuery,
  limit?: number,
): Promise<readonly BackupAnswer[]> {
  return collect(limit, async (page) => {
    const { backups, next } = await client.backups({ ...query, ...page });
    return { found: backups, next };
  });
}

type Page<One> = { readonly found: readonly One[]; readonly next?: string | undefined };

async function collect<One>(
  limit: number = Infinity,
  read: (page: OperatorQuery) => Promise<Page<One>>,
): Promise<readonly One[]> {
  const all: One[] = [];
  let after: string | undefined;
  do {
    const page = await read({ after, limit: String(Math.min(limit - all.length, largestPage)) });
    all.push(...page.found);
    after = page.next;
  } while (after !== undefined && all.length < limit);
  return all;
}
