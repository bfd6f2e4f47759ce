/** What must never be shown: the secret values of the environment, as they are and in their parts. */
import { isIP } from 'node:net';
import { stringsIn } from '../broker/json.ts';
import type { OptionFamily, OptionGroup } from './option.ts';
import { coreOptions } from './options.ts';

/** A text without the secrets it was made for. */
export type Redact = (text: string) => string;

/** Shorter ones are not hidden: it would make messages unreadable and hide nothing. */
const shortest = 4;
const mark = '***';

/** Hides what it was made for, and from then on what it is told of: a start reads and makes secrets of its own. */
export interface Concealment {
  readonly redact: Redact;
  readonly hide: (secrets: Iterable<string>) => void;
}

export function conceal(secrets: Iterable<string>): Concealment {
  const known = new Set(secrets);
  let redact = redactor(known);
  return {
    redact: (text) => redact(text),
    hide(more) {
      for (const secret of more) known.add(secret);
      redact = redactor(known);
    },
  };
}

/** The same error, which says nothing secret any more. */
export function redacted(error: unknown, redact: Redact): unknown {
  if (!(error instanceof Error)) return typeof error === 'string' ? redact(error) : error;
  error.message = redact(error.message);
  if (error.stack !== undefined) error.stack = redact(error.stack);
  return error;
}

/** Hides these values in texts, also as they stand in addresses and in JSON. */
export function redactor(secrets: Iterable<string>): Redact {
  const forms = new Set([...secrets].filter(({ length }) => length >= shortest).flatMap(formsOf));
  if (forms.size === 0) return (text) => text;
  const longestFirst = [...forms].toSorted((a, b) => b.length - a.length);
  const pattern = new RegExp(longestFirst.map(escaped).join('|'), 'g');
  return (text) => text.replace(pattern, mark);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

/** Of all options that are secret, with those that are named like them. */
export function secretValues(
  options: OptionGroup,
  env: Readonly<Record<string, string | undefined>>,
): ReadonlySet<string> {
  const secret = Object.values(options).filter(({ kind }) => kind.secret);
  const names = secret.flatMap((option) => ('alike' in option ? namesLike(option, env) : [option.name]));
  return new Set(
    names.flatMap((name) => partsOf(name, env[name] ?? '')).filter((part) => part.trim() !== ''),
  );
}

/** Of encryption keys: all of them together, and each. */
export function secretsOfKeys(text: string): readonly string[] {
  return [text, ...text.split(/[,:\s]/).filter(isLong)];
}

/** The variables that are set and named like this option. */
export function namesLike(
  { alike }: OptionFamily,
  env: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  return Object.keys(env).filter((name) => alike.test(name));
}

function partsOf(name: string, value: string): readonly string[] {
  // It describes the app, by names and addresses that everybody may know.
  if (name === coreOptions.vcapApplication.name) return [value];
  if (name === coreOptions.encryptionKeys.name) return secretsOfKeys(value);
  return [value, ...jsonStrings(name, value), ...addressParts(value), ...linesOf(value)];
}

/** Of bound services only what is in their credentials: names and tags are everywhere. */
function jsonStrings(name: string, value: string): readonly string[] {
  const parsed = parse(value);
  if (parsed === undefined) return [];
  const strings = name === coreOptions.vcapServices.name ? credentialsIn(parsed) : stringsIn(parsed as never);
  return strings.flatMap((one) => [...(isLong(one) ? [one] : []), ...addressParts(one), ...linesOf(one)]);
}

function credentialsIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, one]: [string, unknown]) =>
    name === 'credentials' ? stringsIn(one as never) : credentialsIn(one),
  );
}

function parse(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

/** Also of an address that is none: whatever may have been meant as a password is one. */
function addressParts(value: string): readonly string[] {
  const [, rest = ''] = /^[a-z][a-z0-9+.:-]*:\/\/(.*)$/is.exec(value) ?? [];
  if (rest === '') return [];
  const at = rest.lastIndexOf('@');
  const login = at < 0 ? '' : rest.slice(0, at);
  const [, user = login, password = ''] = /^([^:]*):(.*)$/s.exec(login) ?? [];
  const [, address = '', path = '', query = ''] =
    /^([^/?#]*)\/?([^?#]*)\??(.*)$/s.exec(rest.slice(at + 1)) ?? [];
  const host = address.replace(/:\d*$/, '').replace(/^\[|\]$/g, '');
  return [
    ...forms(password),
    ...[...new URLSearchParams(query).values()].filter(isLong).flatMap((one) => [one, ...linesOf(one)]),
    ...(isTelling(host) ? [host] : []),
    // The server names them in quotes.
    ...[...forms(user), ...forms(path)].map((name) => `"${name}"`),
  ].filter((part) => part !== '""');
}

/** As it stands in the address, and as it is meant. */
function forms(part: string): readonly string[] {
  try {
    return part === '' ? [] : [part, decodeURIComponent(part)];
  } catch {
    return [part];
  }
}

/** Not this machine, nor a word that stands in every other message. */
function isTelling(host: string): boolean {
  if (/^(127\.|::1$|localhost$)/.test(host)) return false;
  return isIP(host) !== 0 || host.includes('.') || host.length >= 12;
}

/** Of a text of many lines each one: what is told of it is lines. */
function linesOf(value: string): readonly string[] {
  return /\n|\\n/.test(value)
    ? value
        .split(/\r?\n|\\n/)
        .map((line) => line.trim())
        .filter((line) => isLong(line) && !/^-----(BEGIN|END) [A-Z ]+-----$/.test(line))
    : [];
}

function isLong(value: string): boolean {
  return value.length >= 6;
}

function formsOf(value: string): readonly string[] {
  return [value, encodeURIComponent(value.toWellFormed()), JSON.stringify(value).slice(1, -1)];
}
