import { Refusal } from '../../broker/errors.ts';
import type { Json, JsonObject } from '../../broker/json.ts';
import type { Origin } from '../../broker/records.ts';
import type { Call } from '../protocol.ts';
import type { App } from './apps/apps.ts';
import type { Fields } from './parameters/fields.ts';
import { requireText } from './texts.ts';

const longestApp = 150;

/**
 * Who asked. Of the other headers only the names of pool and cluster are taken: those of clusters hold the keys to them.
 */
export function readOrigin(call: Call, fields: Fields): Origin {
  const { principal, requestId, headers } = call;
  const user = fields.text('user') ?? headers['x-tsuru-user']?.slice(0, 1000);
  const value = known({ user, event: readEvent(call, fields) });
  return {
    protocol: 'tsuru',
    principal,
    requestId,
    identity: Object.keys(value).length > 0 ? { platform: 'tsuru', value } : undefined,
  };
}

/** The id of what happens in tsuru; it gives each request of its users one of its own. */
export function readEvent({ headers }: Pick<Call, 'headers'>, fields: Fields): string | undefined {
  const told = fields.text('eventid', 'eventID', 'eventId') ?? headers['x-tsuru-eventid'];
  return told === undefined || told === '' ? undefined : requireText(told, 'eventid');
}

/** Where the apps of the pool run for which an instance is made. It stays there, whatever becomes of the pool. */
export function readPlace({ headers }: Pick<Call, 'headers'>): JsonObject {
  return known({
    pool: nameIn(headers, 'x-tsuru-pool-name'),
    cluster: nameIn(headers, 'x-tsuru-cluster-name'),
  });
}

function nameIn(headers: Call['headers'], header: string): string | undefined {
  const name = headers[header];
  return name === undefined || name === '' ? undefined : requireText(name, header);
}

/** What is known of an instance beside its plan and parameters, and may change. */
export function readContext(fields: Fields): JsonObject {
  const tags = fields.texts('tags', 'tag');
  return known({
    platform: 'tsuru',
    team: fields.text('team'),
    user: fields.text('user'),
    event: fields.text('eventid', 'eventID', 'eventId'),
    description: fields.text('description'),
    tags: tags.length > 0 ? tags : undefined,
  });
}

/** The app by any of the names that its host ever had on this wire; undefined: none is named. */
export function findApp(fields: Fields): App | undefined {
  const name = fields.text('app-name', 'appName');
  const host = fields.text('app-host', 'app-hosts', 'appHost', 'appHosts', 'app-hostname', 'hostname');
  if (name === undefined && host === undefined) return undefined;
  for (const text of [name, host]) requireShort(text);
  return { kind: 'app', name, host };
}

export function requireApp(fields: Fields): App {
  const app = findApp(fields);
  if (app) return app;
  throw new Refusal('invalid', 'The app is missing: app-name or app-host must say which.', 'app-name');
}

/** Undefined: it is about the app as a whole. */
export function findUnit(fields: Fields): string | undefined {
  const host = fields.text('unit-host', 'unit-hostname', 'unitHost', 'unitHostname');
  requireShort(host);
  return host;
}

export function readJob({ params }: Call): App {
  const name = params['job'] ?? '';
  requireShort(name);
  return { kind: 'job', name };
}

function requireShort(text: string | undefined): void {
  if (text === undefined || (text.length <= longestApp && text.isWellFormed() && !text.includes('\0')))
    return;
  throw new Refusal('invalid', `The name or host must not have more than ${longestApp} characters.`);
}

export function known(members: Readonly<Record<string, Json | undefined>>): JsonObject {
  const told = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(told) as JsonObject;
}
