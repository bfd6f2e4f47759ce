import { isIP } from 'node:net';
import type { PortRange, UserRange } from '../broker/nodes.ts';
import { readConnection, type Connection } from '../database/connection.ts';
import { readKeys, type KeyRing } from '../stores/keyring.ts';

/** Each kind of option: how the text of a variable becomes a value. The sentences say what would be right. */
export interface Kind<Value> {
  /** @throws WrongValue */
  readonly read: (text: string, name: string) => Value;
  /** The value appears in no message and no listing. */
  readonly secret?: boolean;
  /** All that it can be, where these are few words. */
  readonly choices?: readonly string[];
}

/** What is wrong with a text, without the text itself: it may be a secret in the wrong place. */
export class WrongValue extends Error {}

/** A wrong value of which the message is the whole sentence, the name of the variable included. */
export class WrongSentence extends WrongValue {}

/** The path of a file or a directory. */
export function path(): Kind<string> {
  return { read: requirePath };
}

/** An address to listen on, or the name of a host. */
export function hostName(): Kind<string> {
  return { read: requireHostName };
}

/** A user of the operating system. */
export function systemUser(): Kind<string> {
  return { read: requireSystemUser };
}

export function secret(): Kind<string> {
  return { secret: true, read: (value) => value };
}

/** A Postgres server, by its url. */
export function postgresServer(): Kind<Connection> {
  return { secret: true, read: requireServer };
}

/** Basic authentication cannot carry a name with a colon (RFC 7617, section 2). */
export function userName(): Kind<string> {
  return { read: requireUserName };
}

/** As `id:key` separated by commas, the one that encrypts first; a key is 32 bytes in base64. */
export function keyRing(): Kind<KeyRing> {
  return { secret: true, read: requireKeys };
}

export function wholeNumber(from: number, to: number): Kind<number> {
  return { read: (value) => requireNumber(value, from, to) };
}

export function yesOrNo(): Kind<boolean> {
  return { read: (value) => requireWord(value, ['true', 'false']) === 'true' };
}

export function oneOf<Word extends string>(...words: Word[]): Kind<Word> {
  return { choices: words, read: (value) => requireWord(value, words) };
}

/** Milliseconds; written as `250ms`, `15s`, `5m`, `2h`, `30d` or as plain milliseconds. */
export function durationOption(from: string, to: string): Kind<number> {
  return { read: (value) => requireDuration(value, from, to) };
}

/** An address of http or https, without a slash at its end. */
export function webAddress(): Kind<string> {
  return { read: requireWebAddress };
}

/** The name of a node: it is seen in addresses, tables and metrics. */
export function nodeName(): Kind<string> {
  return { read: requireNodeName };
}

/** Ports from the first to the last, written as `20000-24999`. */
export function portRange(): Kind<PortRange> {
  return { read: requirePortRange };
}

/** Numbers of users from the first to the last, written as `200000-265535`, or `none`. */
export function userRange(): Kind<UserRange | 'none'> {
  return { read: requireUserRange };
}

/** Directories separated by colons. */
export function directoryList(): Kind<readonly string[]> {
  return { read: requireDirectories };
}

/** A JSON object, as platforms put them into variables; it may hold passwords. */
export function jsonObject(): Kind<Readonly<Record<string, unknown>>> {
  return { secret: true, read: requireJsonObject };
}

/** Passwords by the name of what they are for, as a JSON object. */
export function secretsByName(): Kind<Readonly<Record<string, string>>> {
  return { secret: true, read: requireSecretsByName };
}

/** An address or a certificate in the place of a path is a mistake, and perhaps a secret. */
function requirePath(value: string): string {
  if (/\p{Cc}|:\/\/|-----BEGIN/u.test(value) || value.length > 4096)
    throw new WrongValue('must be the path of a file or directory');
  return value;
}

function requireHostName(value: string): string {
  if (isIP(value) === 0 && !/^[A-Za-z0-9_.-]{1,253}$/.test(value))
    throw new WrongValue('must be an IP address or the name of a host');
  return value;
}

function requireSystemUser(value: string): string {
  if (!/^[A-Za-z0-9_.-]{1,64}\$?$/.test(value)) throw new WrongValue('must be the name of a user');
  return value;
}

function requireUserName(value: string): string {
  if (/\p{Cc}/u.test(value)) throw new WrongValue('must not contain control characters');
  if (value.includes(':')) throw new WrongValue('must not contain a colon');
  return value;
}

function requireServer(value: string, name: string): Connection {
  try {
    return readConnection(value, name);
  } catch (error) {
    throw new WrongSentence((error as Error).message);
  }
}

function requireKeys(value: string): KeyRing {
  try {
    return readKeys(value);
  } catch (error) {
    throw new WrongValue(`cannot be used: ${(error as Error).message.replace(/\.$/, '')}`);
  }
}

function requireNumber(value: string, from: number, to: number): number {
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= from && number <= to)) throw new WrongValue(`must be a whole number from ${from} to ${to}`);
  return number;
}

function requireWord<Word extends string>(value: string, words: readonly Word[]): Word {
  const found = words.find((word) => word === value.toLowerCase());
  if (found === undefined) throw new WrongValue(`must be one of: ${words.join(', ')}`);
  return found;
}

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

function requireDuration(value: string, from: string, to: string): number {
  const ms = milliseconds(value);
  if (ms === undefined) throw new WrongValue('must be a duration such as 250ms, 15s, 5m, 2h or 30d');
  if (ms < (milliseconds(from) ?? 0) || ms > (milliseconds(to) ?? 0)) {
    throw new WrongValue(`must be a duration from ${from} to ${to}`);
  }
  return ms;
}

function milliseconds(value: string): number | undefined {
  const [, digits, unit] = /^(\d{1,12})(ms|s|m|h|d)?$/.exec(value) ?? [];
  if (digits === undefined) return undefined;
  return Number(digits) * unitMs[(unit ?? 'ms') as keyof typeof unitMs];
}

function requireWebAddress(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    throw new WrongValue('must be an address that begins with http:// or https://');
  }
  if (url.username || url.password || url.search || url.hash) {
    throw new WrongValue('must be an address without user, password, query and fragment');
  }
  return url.href.replace(/\/+$/, '');
}

function requireNodeName(value: string): string {
  if (!/^[\w.-]{1,100}$/.test(value)) {
    throw new WrongValue('must have letters, digits, dots, dashes and underscores only, at most 100 of them');
  }
  return value;
}

function requirePortRange(value: string): PortRange {
  const [, from, to] = /^(\d{1,5})-(\d{1,5})$/.exec(value) ?? [];
  const range = { first: Number(from), last: Number(to) };
  if (!(range.first >= 1024 && range.first <= range.last && range.last <= 65535)) {
    throw new WrongValue('must be a range of ports from 1024 to 65535, such as 20000-24999');
  }
  return range;
}

function requireUserRange(value: string): UserRange | 'none' {
  if (value === 'none') return 'none';
  const [, from, to] = /^(\d{1,10})-(\d{1,10})$/.exec(value) ?? [];
  const range = { first: Number(from), last: Number(to) };
  // Above are numbers that some programs take for negative ones.
  if (range.first >= 1000 && range.first <= range.last && range.last < 2 ** 31) return range;
  throw new WrongValue('must be none or a range of user ids from 1000 to 2147483647, such as 200000-265535');
}

function requireDirectories(value: string): readonly string[] {
  requirePath(value);
  const parts = value.split(':').filter((part) => part !== '');
  if (parts.length === 0) throw new WrongValue('must name a directory, or several separated by colons');
  return parts;
}

function requireJsonObject(value: string): Readonly<Record<string, unknown>> {
  const parsed = parseJson(value);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new WrongValue('must be a JSON object');
  }
  return { ...parsed };
}

function requireSecretsByName(value: string): Readonly<Record<string, string>> {
  const entries = Object.entries(requireJsonObject(value));
  const isSecret = (one: unknown) => typeof one === 'string' && one.trim() !== '';
  if (entries.every(([, one]) => isSecret(one))) return Object.fromEntries(entries) as Record<string, string>;
  throw new WrongValue('must be a JSON object whose members are passwords');
}

function parseJson(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    // The parser's own message quotes the text, which may hold passwords.
    return undefined;
  }
}
