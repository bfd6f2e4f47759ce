import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isObject } from '../../broker/json.ts';
import { positionIn } from '../../broker/template.ts';
import { webhookEvents, type WebhookEvent } from '../../broker/offices/webhooks.ts';
import { parseObject } from '../../catalog/form/parse.ts';
import { type Finding, mistake, problemLines } from '../../catalog/problem.ts';
import { inFile } from '../../catalog/read-files.ts';
import { codeOf } from '../../system/error-code.ts';
import type { Log } from '../../telemetry/log.ts';
import { requireKeys } from '../principals/fields.ts';

/** Who is told. */
export interface Receiver {
  readonly name: string;
  readonly url: URL;
  /** One, or two while they are changed. */
  readonly secrets: readonly string[];
  /** Absent: all. */
  readonly events?: readonly WebhookEvent[] | undefined;
  /** By name or id; absent: all. */
  readonly offerings?: readonly string[] | undefined;
  /** Certificates of authorities in place of the usual ones, in PEM form. */
  readonly ca?: string | undefined;
  /** Where they were read. */
  readonly caFile?: string | undefined;
}

/**
 * Reads the receivers that a file names.
 * @throws Error with a sentence that tells all that is wrong at once; no sentence holds a secret
 */
export function readReceivers(
  file: string,
  bytes: Uint8Array,
  log: Pick<Log, 'note' | 'hide'>,
): readonly Receiver[] {
  const { object, findings, locate } = parseObject(
    file,
    bytes,
    'The file must hold an object with the list receivers.',
  );
  const found: Finding[] = [...findings];
  const receivers = object ? receiversIn(object, dirname(file), found) : [];
  if (found.length > 0) {
    const placed = found.map((one) => ({ ...locate?.(one.path), ...one }));
    throw new Error(['WEBHOOKS_FILE cannot be used.', ...problemLines(inFile(file, placed))].join(' '));
  }
  log.hide(receivers.flatMap(({ secrets }) => secrets));
  return receivers;
}

type Members = Readonly<Record<string, unknown>>;

const known = ['name', 'url', 'secrets', 'events', 'offerings', 'ca'];

function receiversIn(object: Members, directory: string, found: Finding[]): readonly Receiver[] {
  requireKeys(object, '', ['receivers'], found);
  const list = object['receivers'];
  if (!Array.isArray(list)) {
    found.push(mistake('receivers', 'This must be a list.'));
    return [];
  }
  const names = new Set<string>();
  return list.flatMap((value: unknown, index) => {
    const at = positionIn('receivers', index);
    if (!isObject(value)) {
      found.push(mistake(at, 'This must be an object.'));
      return [];
    }
    const receiver = readReceiver(value, at, directory, found);
    if (names.has(receiver.name)) found.push(mistake(positionIn(at, 'name'), 'This name stands twice.'));
    names.add(receiver.name);
    return [receiver];
  });
}

function readReceiver(value: Members, at: string, directory: string, found: Finding[]): Receiver {
  requireKeys(value, at, known, found);
  const { name, url } = value;
  const isName = typeof name === 'string' && /^[a-z0-9][a-z0-9._-]{0,62}$/.test(name);
  if (!isName)
    found.push(
      mistake(positionIn(at, 'name'), 'This must be a name of small letters, digits, dots and dashes.'),
    );
  const parsed = typeof url === 'string' ? URL.parse(url) : null;
  const isAddress = parsed?.protocol === 'https:' || parsed?.protocol === 'http:';
  if (!isAddress) found.push(mistake(positionIn(at, 'url'), 'This must be an address of https or http.'));
  const offerings = textsIn(value, at, 'offerings', isText, 'a list of names or ids of offerings', found);
  const events = textsIn(value, at, 'events', isEvent, `a list of ${webhookEvents.join(', ')}`, found);
  return {
    name: isName ? name : at,
    url: parsed ?? new URL('http://nowhere.invalid'),
    secrets: textsIn(value, at, 'secrets', isSecret, secretRule, found, 2) ?? missing(at, found),
    events: events as readonly WebhookEvent[] | undefined,
    offerings,
    ca: value['ca'] === undefined ? undefined : authorityIn(value['ca'], at, directory, found),
    caFile: typeof value['ca'] === 'string' ? resolve(directory, value['ca']) : undefined,
  };
}

const secretRule = 'a list of one or two secrets: whsec_ and 24 to 64 bytes in base64';

function missing(at: string, found: Finding[]): readonly string[] {
  found.push(mistake(positionIn(at, 'secrets'), `This must be ${secretRule}.`));
  return [];
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && value.length <= 1000 && !value.includes('\0');
}

function isEvent(value: unknown): boolean {
  return webhookEvents.some((one) => one === value);
}

function isSecret(value: unknown): boolean {
  return typeof value === 'string' && /^whsec_[A-Za-z0-9+/]{32,86}={0,2}$/.test(value);
}

/** Undefined where there is none. */
function textsIn(
  value: Members,
  at: string,
  name: string,
  fits: (one: unknown) => boolean,
  rule: string,
  found: Finding[],
  most = 1000,
): readonly string[] | undefined {
  const list = value[name];
  if (list === undefined) return undefined;
  if (Array.isArray(list) && list.length > 0 && list.length <= most && list.every(fits))
    return list as readonly string[];
  found.push(mistake(positionIn(at, name), `This must be ${rule}.`));
  return [];
}

/** @param directory from which the path goes */
function authorityIn(path: unknown, at: string, directory: string, found: Finding[]): string {
  try {
    const text = readFileSync(resolve(directory, String(path)), 'utf8');
    if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
    found.push(mistake(positionIn(at, 'ca'), 'This file holds no certificate in PEM form.'));
  } catch (error) {
    found.push(mistake(positionIn(at, 'ca'), `This file cannot be read: the system says ${codeOf(error)}.`));
  }
  return '';
}
