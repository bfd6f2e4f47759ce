import type { Catalog } from '../../broker/catalog.ts';
import type { QuotaRule } from '../../broker/listing.ts';
import { didYouMean } from '../../catalog/form/did-you-mean.ts';
import { problemLines } from '../../catalog/problem.ts';
import type { Log } from '../../telemetry/log.ts';
import { type FollowedFile, followFile } from '../followed-file.ts';
import { readQuotas } from './read.ts';

export type Quotas = FollowedFile<readonly QuotaRule[]>;

interface QuotasParts {
  readonly config: { readonly quotasFile: string | undefined };
  readonly currentCatalog: { catalog(): Catalog };
  readonly log: Pick<Log, 'note'>;
  /** Milliseconds between looks at the file. */
  readonly lookMs?: number;
}

/**
 * Quotas beside those of offering files, as QUOTAS_FILE has them now.
 * @throws Error with a sentence, when it cannot be used at the start
 */
export async function openQuotas({ config, currentCatalog, log, lookMs }: QuotasParts): Promise<Quotas> {
  const { quotasFile: file } = config;
  if (file === undefined)
    return { present: () => [], reload: () => Promise.resolve(), close: () => undefined };
  return followFile({
    variable: 'QUOTAS_FILE',
    file,
    what: 'quotas',
    read(bytes) {
      const { rules, problems } = readQuotas(file, bytes);
      if (!rules) throw new Error(['QUOTAS_FILE cannot be used.', ...problemLines(problems)].join(' '));
      for (const rule of rules) {
        const why = whyIdle(rule, currentCatalog.catalog());
        if (why !== undefined) log.note('warn', `${rule.from} limits nothing: ${why}`);
      }
      return rules;
    },
    countsOf: (rules) => ({ quotas: rules.length }),
    log,
    lookMs,
  });
}

/** An offering may come later, so what nobody sells is no mistake; it may be a slip. */
function whyIdle({ offering, plan }: QuotaRule, { offerings }: Catalog): string | undefined {
  if (offering === undefined) return undefined;
  const found = offerings.find(({ name }) => name === offering);
  const names = (found?.plans ?? offerings).map(({ name }) => name);
  if (!found) return `there is no offering '${offering}' now.${didYouMean(offering, names)}`;
  if (plan === undefined || names.includes(plan)) return undefined;
  return `there is no plan '${plan}' of '${offering}' now.${didYouMean(plan, names)}`;
}
