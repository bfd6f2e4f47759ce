/** What keeps a hostile value from keeping the broker busy: every check of it takes bounded time. */
import type { Format } from 'ajv';
import { fullFormats } from 'ajv-formats/dist/formats.js';

/** The formats of ajv-formats, some of which need quadratic time, for texts of ordinary length only. */
export function boundedFormats(): Readonly<Record<string, Format>> {
  return Object.fromEntries(
    Object.entries(fullFormats).map(([name, format]) => [name, name === 'byte' ? format : bounded(format)]),
  );
}

const longest = 2048;

function bounded(format: Format): Format {
  if (format instanceof RegExp) return (text: string) => text.length <= longest && format.test(text);
  if (typeof format === 'function') return (text: string) => text.length <= longest && format(text);
  return format;
}
