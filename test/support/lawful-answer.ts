import type { Response } from 'supertest';
import { testPassword } from './whole-broker.ts';

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
}

type Answer = Pick<Response, 'status' | 'text'> & { readonly headers: Readonly<Record<string, unknown>> };

/** What holds for every answer of the protocol, whatever was asked. Fails the test where it does not. */
export function requireLawful(request: Request, answer: Answer): void {
  const { status, headers, text } = answer;
  const shown = `${request.method} ${request.path} was answered ${status} ${text}`;
  if (status === 304) return;
  const problems: string[] = [];
  const wrong = (when: boolean, problem: string) => when && problems.push(problem);

  wrong(!/^application\/json\b/.test(String(headers['content-type'])), 'it is not application/json');
  const body = readObject(text);
  if (!body) throw new Error(`${shown}\nwhich is no JSON object.`);
  wrong(status >= 500 && body['error'] === 'InternalError', 'an unexpected error');
  wrong(holdsNull(body), 'it has null where a member should be left out');
  if (status < 300) problems.push(...problemsOfSuccess(request, status, body));
  else problems.push(...problemsOfError(request, status, body, text));
  if (problems.length > 0) throw new Error(`${shown}\n${problems.join('\n')}`);
}

/** The codes of success that the tables of the specification have. */
const successes: Readonly<Record<string, readonly number[]>> = {
  'get catalog': [200],
  'put instance': [200, 201, 202],
  'patch instance': [200, 202],
  'delete instance': [200, 202],
  'get instance': [200],
  'get instance operation': [200],
  'put binding': [200, 201, 202],
  'delete binding': [200, 202],
  'get binding': [200],
  'get binding operation': [200],
};

function problemsOfSuccess(request: Request, status: number, body: Body): string[] {
  const endpoint = `${request.method} ${thingOf(request.path)}`;
  const problems: string[] = [];
  if (!successes[endpoint]?.includes(status)) problems.push(`${endpoint} cannot succeed with ${status}`);
  if (status === 202 && request.query['accepts_incomplete'] !== 'true') {
    problems.push('it is asynchronous although the platform does not accept that');
  }
  const operation = body['operation'];
  const fits = typeof operation === 'string' && /^[\w.~-]{1,10000}$/.test(operation);
  if (operation !== undefined && !fits) problems.push('the operation is no plain word');
  if (
    status === 202 &&
    endpoint === 'put binding' &&
    Object.keys(body).some((name) => name !== 'operation')
  ) {
    problems.push('something of the binding stands in a 202');
  }
  return problems;
}

const onThings =
  /^\/+v2\/service_instances\/[^/]+(?<binding>\/service_bindings\/[^/]+)?(?<operation>\/last_operation)?$/;

function thingOf(path: string): string {
  if (/^\/+v2\/catalog\/?$/.test(path)) return 'catalog';
  const { groups } = onThings.exec(path) ?? {};
  if (!groups) return path;
  return `${groups['binding'] ? 'binding' : 'instance'}${groups['operation'] ? ' operation' : ''}`;
}

const definedWords = ['AsyncRequired', 'ConcurrencyError', 'RequiresApp', 'MaintenanceInfoConflict'];

function problemsOfError(request: Request, status: number, body: Body, text: string): string[] {
  const { error, description, instance_usable: usable, update_repeatable: repeatable } = body;
  const { method } = request;
  const onInstance = thingOf(request.path) === 'instance';
  const problems: string[] = [];
  const wrong = (when: boolean, problem: string) => when && problems.push(problem);

  wrong(
    error !== undefined && !(typeof error === 'string' && /^([A-Z][a-z]*)+$/.test(error)),
    'error is no word',
  );
  const described = typeof description === 'string' && description !== '';
  wrong(status !== 410 && !described, 'it has no description');
  wrong(usable !== undefined && !(onInstance && ['patch', 'delete'].includes(method)), 'instance_usable');
  wrong(repeatable !== undefined && !(onInstance && method === 'patch'), 'update_repeatable');
  const defined = definedWords.includes(String(error));
  wrong(defined && status !== 422, `${String(error)} goes with 422 only`);
  wrong(status === 422 && !defined && method !== 'patch', 'a 422 without one of the four words');
  const accepting = request.query['accepts_incomplete'] === 'true';
  wrong(error === 'AsyncRequired' && accepting, 'the platform accepts incomplete work');
  wrong(internals.test(text) || text.includes(testPassword), 'it shows internals');
  return problems;
}

/** Traces, SQL, paths of this machine. */
const internals =
  /\bat \S+:\d+:\d+|\bselect\b.*\bfrom\b|insert into|node_modules|\/src\/|postgres|pg_|errno/i;

type Body = Readonly<Record<string, unknown>>;

function readObject(text: string): Body | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Body) : undefined;
  } catch {
    return undefined;
  }
}

/** What users sent or get may hold null. */
const theirs = ['parameters', 'credentials', 'mount_config', 'schemas'];

function holdsNull(value: unknown): boolean {
  if (value === null) return true;
  if (typeof value !== 'object') return false;
  return Object.entries(value).some(([name, inner]) => !theirs.includes(name) && holdsNull(inner));
}
