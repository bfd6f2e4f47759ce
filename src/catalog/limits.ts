import type { ResourceLimits } from '../broker/catalog.ts';
import type { JsonObject } from '../broker/json.ts';
import { expressionsIn, render } from '../broker/template.ts';

/** Limits as a file has them: sizes as text, numbers, or templates of what the plan fixes. */
export type LimitsFile = Readonly<Partial<Record<keyof ResourceLimits, string | number>>>;

const names = ['memory', 'cpu', 'pids', 'files', 'disk'] as const;

/** What each limit comes to in a plan; what is nonsense is a sentence in its place. @param settings what the plan fixes */
export function readLimits(
  file: LimitsFile,
  settings: JsonObject,
): { readonly limits: ResourceLimits; readonly wrong: Readonly<Record<string, string>> } {
  const limits: Record<string, number> = {};
  const wrong: Record<string, string> = {};
  for (const name of names) {
    const value = file[name];
    if (value === undefined) continue;
    const read = readOne(name, value, settings);
    if (typeof read === 'number') limits[name] = read;
    else wrong[name] = read;
  }
  return { limits, wrong };
}

/** Bytes of `64MB`, `1GB` or a number of bytes; NaN of anything else. A megabyte is 1024 * 1024. */
function bytesOf(size: string): number {
  const [, amount = '', unit = ''] = /^([1-9][0-9]{0,9})(KB|MB|GB|TB)$/.exec(size) ?? [];
  return Number(amount || Number.NaN) * 1024 ** (units.indexOf(unit) + 1);
}

const units = ['KB', 'MB', 'GB', 'TB'];
/** No program begins with less. */
const least = { memory: 1024 * 1024, disk: 1024 * 1024 };

function readOne(
  name: keyof ResourceLimits,
  template: string | number,
  settings: JsonObject,
): number | string {
  if (expressionsIn(template).some(({ path }) => path[0] !== 'plan'))
    return 'Only what the plan fixes, {{plan.x}}, can stand in a limit.';
  let value: unknown;
  try {
    value = render(template, { plan: settings });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  if (name === 'memory' || name === 'disk') {
    const bytes = bytesOf(String(value));
    return Number.isSafeInteger(bytes) && bytes >= least[name]
      ? bytes
      : 'This must be a size of at least 1MB, such as 64MB or 2GB.';
  }
  const number = Number(value);
  if (name === 'cpu')
    return number >= 0.01 && number <= 4096
      ? number
      : 'This must be a number of cores from 0.01, such as 0.5.';
  return Number.isSafeInteger(number) && number >= 1 && number <= 4_194_304
    ? number
    : 'This must be a whole number from 1 to 4194304.';
}
