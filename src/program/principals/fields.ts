// What may stand in an entry of the file, each read by a function that tells what is wrong with it.
import { didYouMean } from '../../catalog/form/did-you-mean.ts';
import { type Finding, mistake } from '../../catalog/problem.ts';
import { positionIn } from '../../broker/template.ts';
import type { Rate } from '../../protocols/protocol.ts';
import { readPasswordHash } from './password-hash.ts';

type Members = Readonly<Record<string, unknown>>;

/** Basic authentication cannot carry a name with a colon (RFC 7617, section 2). */
export function nameIn(value: Members, at: string, name: string, found: Finding[]): string {
  const text = value[name];
  if (typeof text === 'string' && /^[^:\p{Cc}]{1,100}$/u.test(text)) return text;
  const reason = 'This must be a text of 1 to 100 characters without a colon and without control characters.';
  found.push(mistake(positionIn(at, name), reason));
  return '';
}

export function hashesIn(value: Members, at: string, found: Finding[]): readonly string[] {
  const place = positionIn(at, 'passwords');
  const list = value['passwords'];
  const hasOther = value['jwt'] !== undefined || value['certificate'] !== undefined;
  if (list === undefined && hasOther) return [];
  if (!Array.isArray(list) || list.length < 1 || list.length > 2) {
    found.push(
      mistake(place, 'This must be a list of one or two hashes, as purveyor hash-password prints them.'),
    );
    return [];
  }
  return list.flatMap((text: unknown, index) => {
    if (typeof text === 'string' && readPasswordHash(text)) return [text];
    found.push(mistake(positionIn(place, index), 'This is no hash that purveyor hash-password prints.'));
    return [];
  });
}

export function requireKeys(value: Members, at: string, known: readonly string[], found: Finding[]): void {
  for (const key of Object.keys(value).filter((one) => !known.includes(one)))
    found.push(mistake(positionIn(at, key), `There is no such key here.${didYouMean(key, known)}`));
}

const periods = { s: 1000, m: 60_000, h: 3_600_000 } as const;

/** Undefined where none is said, or it is wrong. */
export function rateIn({ rate }: Members, at: string, found: Finding[]): Rate | undefined {
  if (rate === undefined) return undefined;
  const [, requests = '', period] =
    (typeof rate === 'string' && /^([1-9]\d{0,5})\/([smh])$/.exec(rate)) || [];
  if (period !== undefined)
    return { requests: Number(requests), perMs: periods[period as keyof typeof periods] };
  const reason =
    'This must be a number of requests in a second, minute or hour, such as 50/s, 600/m or 5000/h.';
  found.push(mistake(positionIn(at, 'rate'), reason));
  return undefined;
}
