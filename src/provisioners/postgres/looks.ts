import type { Work, UnitControl } from '../../broker/provisioner.ts';
import type { UnitFacts } from '../../broker/units.ts';
import { isSessionLost } from '../../postgres/trouble.ts';
import { namesOf } from './names.ts';
import { keepQuota, megabytes } from './quota.ts';
import { addressOf, type Server, type Servers } from './servers.ts';
import { codeOf, isShortage } from '../../system/error-code.ts';
import { readShape, serverNameOf } from './shape.ts';

/** Milliseconds for the server to say what there is, and for a login into the database. */
const measureLimit = 2500;
const loginLimit = 2000;

/** One unit: the database. A look at it also keeps its quota. */
export function databaseUnits(servers: Servers, find: (name: string) => Server | undefined): UnitControl {
  return {
    async inspect(work) {
      const name = serverNameOf(work.plan.making.config);
      const server = find(name);
      if (!server) return [{ ...unit, ...absent, fault: `${name} is not set` }];
      const { host, port } = addressOf(server);
      return [{ ...unit, address: `${host}:${port}`, ...(await look(servers, server, work)) }];
    },
  };
}

const unit = { unit: 'database' };
const absent = { alive: false, answer: 'unasked' } as const;

type Seen = Omit<UnitFacts, 'unit' | 'address'>;

async function look(servers: Servers, server: Server, work: Work): Promise<Seen> {
  const { key } = namesOf(work.instance);
  const { quota } = readShape(work);
  let isUnlimited = false;
  try {
    const { outside } = servers.forLooks(server, limited(work.signal, measureLimit));
    const measured = await twice(() => outside((session) => keepQuota(session, key, quota)));
    if (!measured) return { ...absent, failed: 'the database or its owner role is gone' };
    isUnlimited = measured.isBlind && quota !== undefined;
    if (measured.isOver)
      return { alive: true, answer: 'silent', reason: overQuota(measured.size, quota ?? 0) };
  } catch (error) {
    if (isShortage(error)) throw error;
    return { ...absent, fault: faultOf(error) };
  }
  const seen = await login(servers, server, key, limited(work.signal, loginLimit));
  return seen.answer === 'ready' && isUnlimited ? { reason: unlimited, ...seen } : seen;
}

const unlimited = 'it runs; nothing limits its temporary files, since the administrator is no superuser';

async function login(servers: Servers, server: Server, key: string, signal: AbortSignal): Promise<Seen> {
  try {
    const { inside } = servers.forLooks(server, signal);
    await twice(() => inside(key, (session) => session.ask('select 1')));
    return { alive: true, answer: 'ready' };
  } catch (error) {
    const code = codeOf(error);
    if (isShortage(error)) throw error;
    if (code === '3D000') return { ...absent, failed: 'the database is gone' };
    // Somebody has them, so somebody got in.
    if (code === '53300')
      return { alive: true, answer: 'ready', reason: 'it runs; all connections are in use' };
    if (signal.aborted) return { alive: true, answer: 'silent', reason: 'nobody could log in in time' };
    if (isSaidByServer(code)) return { alive: true, answer: 'wrong', reason: `a login ended with ${code}` };
    return { ...absent, fault: faultOf(error) };
  }
}

/** A session that somebody has ended says nothing of the server, nor of the database: the next one does. */
async function twice<Result>(look: () => Promise<Result>): Promise<Result> {
  try {
    return await look();
  } catch (error) {
    if (!isSessionLost(error)) throw error;
    return look();
  }
}

/** An SQLSTATE, but none that says that the server comes, goes or is lost. */
function isSaidByServer(code: string): boolean {
  return /^[0-9A-Z]{5}$/.test(code) && !/^(08|57P|28|53)/.test(code);
}

function faultOf(error: unknown): string {
  const code = codeOf(error);
  if (code.startsWith('28')) return 'the administrator cannot log in to the database server';
  return `the database server cannot be reached${code ? ` (${code})` : ''}`;
}

function limited(signal: AbortSignal, ms: number): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(ms)]);
}

function overQuota(size: number, quota: number): string {
  return `it has ${megabytes(size)} MB and may have ${megabytes(quota)} MB: nobody can connect until it has less or a plan with more`;
}
