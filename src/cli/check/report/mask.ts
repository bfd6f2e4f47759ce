import { isObject, stringsIn, type Json, type JsonObject } from '../../../broker/json.ts';
import { redactor, type Redact } from '../../../config/secret-values.ts';
import type { RecordedExchange } from '../probe/probe.ts';
import { jsonIn, requestTarget } from '../probe/wire.ts';

/** An exchange as a report may show it: nothing in it opens anything. */
export interface ShownExchange {
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: JsonObject;
    readonly body: Json | undefined;
  };
  /** Undefined: there was none. */
  readonly answer: ShownAnswer | undefined;
  readonly failure: string | undefined;
}

interface ShownAnswer {
  readonly status: number;
  readonly headers: JsonObject;
  readonly body: Json | undefined;
  readonly ms: number;
}

/** Characters of a body that are shown. */
const longest = 2000;
/** Of one that is no JSON. */
const longestOdd = 40;
const hidden = '***';

/** Members of answers that open something, as a whole. */
const secretMembers: ReadonlySet<string> = new Set([
  'credentials',
  'parameters',
  'syslog_drain_url',
  'route_service_url',
  'volume_mounts',
  'dashboard_url',
  'secret',
  'password',
]);

/** Headers of a request in which a case may have something odd; those of a login are never shown. */
const shownHeaders = /^(?!authorization)/;
/** Headers of an answer that a requirement is about. */
const tellingHeaders = /^(content-type|retry-after|etag|last-modified|www-authenticate|allow|x-broker-api-)/;

/**
 * Makes exchanges fit to be shown: what they hold of credentials is hidden in its member, and wherever else it stands.
 * @param password of the login
 */
export function exchangeMask(
  exchanges: readonly RecordedExchange[],
  password: string,
): { readonly show: (exchange: RecordedExchange) => ShownExchange; readonly redact: Redact } {
  const secrets = exchanges.flatMap(({ answer }) => secretsIn(answer?.json));
  const redact = redactor([password, ...secrets]);
  const shownBody = (value: Json | undefined, text = ''): Json | undefined => {
    if (value === undefined) return text === '' ? undefined : redact(text.slice(0, longest));
    const masked = masks(value);
    const written = redact(JSON.stringify(masked));
    return written.length <= longest ? (JSON.parse(written) as Json) : `${written.slice(0, longest)}…`;
  };
  // What is no JSON cannot be masked by its members: a long one may hold parameters.
  const shownText = (text: string | Uint8Array): Json => {
    const json = typeof text === 'string' && text.length <= longest ? jsonIn(text) : undefined;
    if (json !== undefined) return shownBody(json) ?? '';
    return typeof text === 'string' && text.length < longestOdd ? redact(text) : `(${text.length} bytes)`;
  };
  return {
    redact,
    show: ({ request, answer, failure }) => ({
      request: {
        method: request.method,
        path: redact(requestTarget(request)),
        headers: headersLike(request.headers ?? {}, shownHeaders),
        body: request.text === undefined ? shownBody(request.body) : shownText(request.text),
      },
      answer: answer && {
        status: answer.status,
        headers: headersLike(answer.headers, tellingHeaders),
        body: shownBody(answer.json, answer.text),
        ms: answer.ms,
      },
      failure,
    }),
  };
}

function masks(value: Json, name?: string): Json {
  if (name !== undefined && secretMembers.has(name)) return hiddenLike(value);
  if (Array.isArray(value)) return value.map((one: Json) => masks(one));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, masks(inner, key)]));
}

/** The shape stays, for who looks for a mistake in it. */
function hiddenLike(value: Json): Json {
  if (Array.isArray(value)) return value.map((one: Json) => hiddenLike(one));
  if (isObject(value))
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, hiddenLike(one)]));
  return value === null || typeof value === 'boolean' ? value : hidden;
}

/** Short ones, e.g. the name of a host or a port, say nothing, and would hide half of the report. */
function secretsIn(json: Json | undefined): readonly string[] {
  if (!isObject(json)) return [];
  return stringsIn(json['credentials']).filter(({ length }) => length >= 12);
}

function headersLike(headers: Readonly<Record<string, string | undefined>>, pattern: RegExp): JsonObject {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value !== undefined && pattern.test(name) ? [[name, value]] : [],
    ),
  );
}
