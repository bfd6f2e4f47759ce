// One thing wrong, at a random place of a request that is right.
import { gzipSync } from 'node:zlib';
import { oddHeaders, oddJson, oddParts } from './odd-values.ts';
import type { Chance } from './random.ts';
import type { FuzzRequest, Pairs } from './requests.ts';

type Mutation = (request: FuzzRequest, chance: Chance) => FuzzRequest;

export function mutate(request: FuzzRequest, chance: Chance): FuzzRequest {
  const mutation = chance.of(request.body === undefined ? ofAny : [...ofAny, ...ofBodies]);
  return { ...mutation(request, chance), expected: undefined };
}

const methods = ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'BREW'];

const ofAny: readonly Mutation[] = [
  (request, chance) => ({ ...request, method: chance.of(methods) }),
  (request, chance) => ({ ...request, parts: replaced(request.parts, chance, chance.of(oddParts)) }),
  (request, chance) => ({ ...request, parts: replaced(request.parts, chance) }),
  (request, chance) => ({ ...request, parts: [...request.parts, chance.of(oddParts)] }),
  (request, chance) => ({ ...request, parts: request.parts.map((part) => disguised(part, chance)) }),
  (request, chance) => ({ ...request, query: replaced(request.query, chance) }),
  (request, chance) => ({
    ...request,
    query: [...request.query, [chance.of(queryNames), chance.of(oddParts)]],
  }),
  (request, chance) => ({ ...request, query: [...request.query, [chance.of(oddParts), 'x']] }),
  (request, chance) => ({
    ...request,
    query: request.query.map(
      ([name, value]) => [name, chance.once(2) ? chance.of(oddParts) : value] as const,
    ),
  }),
  (request) => ({ ...request, query: [...request.query, ...request.query] }),
  (request, chance) => ({ ...request, headers: replaced(request.headers, chance) }),
  (request, chance) => ({ ...request, headers: [...request.headers, chance.of(oddHeaders)] }),
  (request, chance) => ({ ...request, headers: withHeader(request.headers, chance.of(oddHeaders)) }),
  (request, chance) => ({ ...request, body: request.body ?? chance.of(oddJson) }),
];

const queryNames = [
  'accepts_incomplete',
  'service_id',
  'plan_id',
  'operation',
  'instance_id',
  'binding_id',
  'confirm',
  'limit',
  'after',
  'state',
  'lines',
  'unit',
  'token',
  'passed_on',
];

const ofBodies: readonly Mutation[] = [
  oddMember,
  oddMember,
  oddMember,
  oddMember,
  (request, chance) => ({ ...request, body: withoutMember(textOf(request), chance) }),
  (request, chance) => ({ ...request, body: textOf(request).slice(0, chance.below(textOf(request).length)) }),
  (request, chance) => ({ ...request, body: withOtherByte(textOf(request), chance) }),
  (request, chance) => ({ ...request, body: textOf(request) + chance.of(oddJson) }),
  (request, chance) => ({ ...request, body: chance.of(oddJson) }),
  (request) => ({ ...request, body: `\ufeff${textOf(request)}` }),
  (request) => ({ ...request, body: Buffer.from(textOf(request), 'utf16le') }),
  (request) => ({ ...request, body: undefined }),
  (request) => ({
    ...request,
    headers: withHeader(request.headers, ['content-encoding', 'gzip']),
    body: gzipSync(textOf(request)),
  }),
  (request) => ({
    ...request,
    headers: withHeader(request.headers, ['content-encoding', 'gzip']),
    body: gzipSync(Buffer.alloc(2_000_000, ' ')),
  }),
  (request) => ({ ...request, body: textOf(request).padEnd(1_100_000) }),
];

/** Puts something odd where a value stands, of JSON or of a form. */
function oddMember(request: FuzzRequest, chance: Chance): FuzzRequest {
  const text = textOf(request);
  if (!text.startsWith('{')) {
    const fields = [...new URLSearchParams(text)].map(([name]) => name);
    const name = chance.of([...fields, 'parameters.', 'parameters.a.b', 'tags', 'plan']);
    return { ...request, body: `${text}&${encodeURIComponent(name)}=${chance.of(oddParts)}` };
  }
  const places = [...text.matchAll(/(?<=":)("(?:[^"\\]|\\.)*"|-?\d+|true|\{|\[)/g)];
  if (places.length === 0) return { ...request, body: chance.of(oddJson) };
  const place = chance.of(places);
  const [found] = place;
  const odd = chance.of(oddJson);
  // Before an object or a list it becomes one of two members.
  const text2 = found === '{' || found === '[' ? `${odd},"more":${found}` : odd;
  return { ...request, body: text.slice(0, place.index) + text2 + text.slice(place.index + found.length) };
}

function withoutMember(text: string, chance: Chance): string {
  const members = [...text.matchAll(/"\w+":("(?:[^"\\]|\\.)*"|-?\d+),?|(?:^|&)[\w.-]+=[^&]*/g)];
  if (members.length === 0) return '';
  const [member] = chance.of(members);
  return text.replace(member, '').replace(',}', '}');
}

function withOtherByte(text: string, chance: Chance): Uint8Array {
  const bytes = Buffer.from(text);
  for (let left = 1 + chance.below(4); left > 0 && bytes.length > 0; left--) {
    bytes[chance.below(bytes.length)] = chance.below(256);
  }
  return bytes;
}

function textOf({ body = '' }: FuzzRequest): string {
  return typeof body === 'string' ? body : Buffer.from(body).toString('latin1');
}

/** Without one of them, or with this in its place. */
function replaced<One>(many: readonly One[], chance: Chance, by?: One): readonly One[] {
  if (many.length === 0) return many;
  return many.toSpliced(chance.below(many.length), 1, ...(by === undefined ? [] : [by]));
}

function withHeader(headers: Pairs, header: Pairs[number]): Pairs {
  return [...headers.filter(([name]) => name !== header[0]), header];
}

/** The same to whoever decodes it, or nearly. */
function disguised(part: string, chance: Chance): string {
  if (chance.once(3)) return part.toUpperCase();
  const at = chance.below(Math.max(part.length, 1));
  const code = part.charCodeAt(at);
  if (Number.isNaN(code) || code > 127) return part;
  return `${part.slice(0, at)}%${code.toString(16).padStart(2, '0')}${part.slice(at + 1)}`;
}
