// What must hold for every answer, whatever was asked.
import { holds } from '../faults/canary.ts';
import { requireLawful } from '../support/lawful-answer.ts';
import type { RawAnswer } from '../support/raw-http.ts';
import type { FuzzRequest } from './requests.ts';
import type { Stock } from './stock.ts';

export interface Exchange {
  readonly request: FuzzRequest;
  readonly answer: RawAnswer;
  readonly ms: number;
  readonly before: Stock;
  readonly after: Stock;
  readonly secret: string;
}

/** A machine may stand still for a while; a broker that takes longer than this hangs. */
export const longestMs = 15_000;

/** What is wrong with it, as sentences. */
export function faultsOf({ request, answer, ms, before, after, secret }: Exchange): readonly string[] {
  const { status, text } = answer;
  const faults: string[] = [];
  const wrong = (when: boolean, fault: string) => when && faults.push(fault);
  // By which name and host tsuru knows an app is noted also of a bind that is refused then.
  const isNoted = (name: string) => name === 'tsuru_apps' && request.parts[0] === 'tsuru' && status === 409;
  const tables = Object.keys(after.prints).filter(
    (name) => before.prints[name] !== after.prints[name] && !isNoted(name),
  );
  const changes = `has changed rows of ${tables.join(', ')}`;

  wrong(status < 0, 'There is no answer.');
  wrong(status === 0, 'The connection was closed without an answer.');
  wrong(status >= 500 && !isToldAsServerError(request, answer), `The status is ${status}.`);
  wrong(ms > longestMs, `The answer came after ${Math.round(ms)} ms.`);
  wrong(status >= 400 && tables.length > 0, `It was refused and ${changes}.`);
  wrong(
    ['GET', 'HEAD', 'OPTIONS'].includes(request.method) && tables.length > 0,
    `It only looks and ${changes}.`,
  );
  wrong(status >= 400 && holds(text, secret), 'The refusal holds a secret.');
  // Where it may, a busy machine takes its time.
  const accepts = request.query.some(([name]) => name === 'accepts_incomplete');
  const expected = request.expected && [...request.expected, ...(accepts ? [202] : [])];
  wrong(expected !== undefined && !expected.includes(status), `The model answers ${expected?.join(' or ')}.`);
  const changed = changedIn([...before.instances.keys()], [...after.instances.keys()]);
  wrong(changed.length > 1, `One request has changed ${changed.join(' and ')}.`);
  if (status > 0) faults.push(...faultsOfWire(request, answer));
  return faults;
}

function changedIn(before: readonly string[], after: readonly string[]): readonly string[] {
  return [...before.filter((id) => !after.includes(id)), ...after.filter((id) => !before.includes(id))];
}

/** tsuru tells with 500 that something is down, and with 503 that it shall come again. */
function isToldAsServerError({ parts }: FuzzRequest, { text }: RawAnswer): boolean {
  return parts[0] === 'tsuru' && parts.at(-1) === 'status' && !text.includes('unexpected');
}

function faultsOfWire(request: FuzzRequest, answer: RawAnswer): readonly string[] {
  if (request.method === 'HEAD') {
    // Of what is no HTTP at all, nobody knows the method.
    const isBare = answer.text === '' || answer.text.includes('is not well-formed HTTP');
    return isBare ? [] : ['The answer to HEAD has a body.'];
  }
  if (request.parts[0] !== 'v2') return /\bat \S+:\d+:\d+/.test(answer.text) ? ['It shows a trace.'] : [];
  try {
    requireLawful(asKnown(request), answer);
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}

/** As the platform meant it. Of what is named twice, and of a query that cannot be read, nobody can say what it means. */
function asKnown({ method, parts, query }: FuzzRequest) {
  const text = query.map(([name, value]) => `${name}=${value}`).join('&');
  const path = `/${parts.join('/')}`.replace(/[?#].*/s, '').replace(/\/+$/, '');
  return { method: method.toLowerCase(), path, query: Object.fromEntries(new URLSearchParams(text)) };
}
