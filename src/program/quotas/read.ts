import {
  quotaScopes,
  type QuotaAmounts,
  type QuotaException,
  type QuotaScope,
} from '../../broker/policies.ts';
import { isObject } from '../../broker/json.ts';
import type { QuotaRule } from '../../broker/listing.ts';
import { positionIn } from '../../broker/template.ts';
import { parseObject } from '../../catalog/form/parse.ts';
import { type Finding, mistake, type Problem } from '../../catalog/problem.ts';
import { inFile } from '../../catalog/read-files.ts';
import { requireKeys } from '../principals/fields.ts';

type Members = Readonly<Record<string, unknown>>;

const noList = 'The file must hold an object with the list quotas.';

/** All that is wrong with the file is told at once. */
export function readQuotas(
  file: string,
  bytes: Uint8Array,
): { readonly rules?: readonly QuotaRule[]; readonly problems: readonly Problem[] } {
  const { object, findings, locate } = parseObject(file, bytes, noList);
  if (!object) return { problems: inFile(file, findings) };
  const found: Finding[] = [];
  requireKeys(object, '', ['quotas'], found);
  const rules = objectsIn(object, '', 'quotas', found).map(({ value, at }) => readRule(value, at, found));
  requireOnce(rules, found);
  if (found.length > 0)
    return {
      problems: inFile(
        file,
        found.map((one) => ({ ...locate?.(one.path), ...one })),
      ),
    };
  return { rules, problems: [] };
}

function objectsIn(value: Members, at: string, name: string, found: Finding[]) {
  const list = value[name] ?? [];
  const place = at === '' ? name : positionIn(at, name);
  if (!Array.isArray(list)) {
    found.push(mistake(place, 'This must be a list.'));
    return [];
  }
  return list.flatMap((one: unknown, index) => {
    const own = positionIn(place, index);
    if (isObject(one)) return [{ value: one as Members, at: own }];
    found.push(mistake(own, 'This must be an object.'));
    return [];
  });
}

function readRule(value: Members, at: string, found: Finding[]): QuotaRule {
  requireKeys(value, at, ['per', 'offering', 'plan', 'instances', 'cost', 'exceptions'], found);
  const per = scopeIn(value, at, found);
  const offering = textIn(value, at, 'offering', found);
  const plan = textIn(value, at, 'plan', found);
  if (value['plan'] !== undefined && value['offering'] === undefined)
    found.push(mistake(positionIn(at, 'plan'), 'A plan needs its offering beside it.'));
  const amounts = amountsIn(value, at, found);
  const exceptions = objectsIn(value, at, 'exceptions', found).map((one) =>
    readException(one.value, one.at, amounts, found),
  );
  if (per === 'total' && exceptions.length > 0)
    found.push(mistake(positionIn(at, 'exceptions'), 'What is of everybody together has no exceptions.'));
  requireOneEach(exceptions, at, found);
  const of = plan !== undefined ? 'plan' : offering !== undefined ? 'offering' : 'all';
  return { of, per, offering, plan, ...amounts, exceptions, from: `QUOTAS_FILE, ${at}` };
}

function scopeIn({ per = 'total' }: Members, at: string, found: Finding[]): QuotaScope {
  const known = quotaScopes.find((one) => one === per);
  if (known === undefined)
    found.push(mistake(positionIn(at, 'per'), `This must be one of ${quotaScopes.join(', ')}.`));
  return known ?? 'total';
}

/** @param usual what counts where nothing is said */
function readException(value: Members, at: string, usual: QuotaAmounts, found: Finding[]): QuotaException {
  requireKeys(value, at, ['for', 'platform', 'instances', 'cost'], found);
  if (value['for'] === undefined)
    found.push(mistake(positionIn(at, 'for'), 'This must say for whom it is, by id or by name.'));
  const { instances = usual.instances, cost = usual.cost } = value;
  return {
    is: textIn(value, at, 'for', found) ?? '',
    platform: textIn(value, at, 'platform', found),
    ...amountsIn({ instances, cost }, at, found, true),
    from: `QUOTAS_FILE, ${at}`,
  };
}

function amountsIn(
  { instances, cost }: Members,
  at: string,
  found: Finding[],
  isException = false,
): QuotaAmounts {
  if (!isException && instances === undefined && cost === undefined)
    found.push(mistake(at, 'This must say how many instances there may be, or what they may cost.'));
  const or = isException ? ', or unlimited' : '';
  return {
    instances: amountIn(instances, Number.isSafeInteger, `This must be a whole number from 0 on${or}.`, {
      at: positionIn(at, 'instances'),
      isException,
      found,
    }),
    cost: amountIn(cost, Number.isFinite, `This must be a number from 0 on${or}.`, {
      at: positionIn(at, 'cost'),
      isException,
      found,
    }),
  };
}

function amountIn(
  value: unknown,
  fits: (value: number) => boolean,
  rule: string,
  {
    at,
    isException,
    found,
  }: { readonly at: string; readonly isException: boolean; readonly found: Finding[] },
): number | undefined {
  if (value === undefined || (isException && value === 'unlimited')) return undefined;
  if (typeof value === 'number' && value >= 0 && fits(value)) return value;
  found.push(mistake(at, rule));
  return undefined;
}

/** Undefined where there is none. A number in YAML may be meant as a name, and would be told from none. */
function textIn(value: Members, at: string, name: string, found: Finding[]): string | undefined {
  const text = value[name];
  if (text === undefined) return undefined;
  if (typeof text === 'string' && text !== '') return text;
  found.push(mistake(positionIn(at, name), 'This must be a text; in YAML numbers need quotes.'));
  return undefined;
}

function requireOnce(rules: readonly QuotaRule[], found: Finding[]): void {
  const seen = new Set<string>();
  for (const { per, offering, plan, from } of rules) {
    const what = JSON.stringify([per, offering, plan]);
    if (seen.has(what))
      found.push(mistake(from.replace('QUOTAS_FILE, ', ''), 'A quota of the same stands above.'));
    seen.add(what);
  }
}

function requireOneEach(exceptions: readonly QuotaException[], at: string, found: Finding[]): void {
  const seen = new Set<string>();
  for (const [index, { is, platform }] of exceptions.entries()) {
    const whose = JSON.stringify([is, platform]);
    if (seen.has(whose))
      found.push(mistake(positionIn(positionIn(at, 'exceptions'), index), 'The same stands above.'));
    seen.add(whose);
  }
}
