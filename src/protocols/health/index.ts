import { BadCall, type Protocol, type Reply } from '../protocol.ts';

/** Why the broker cannot serve now: starting, database, migrations, catalog, draining. */
export type Readiness =
  /** With a note: it can, and yet something is to be looked after. */
  { readonly ready: true; readonly note?: string } | { readonly ready: false; readonly reason: string };

/** Probes for platforms and people: is the process alive, and can it serve? Both are open. */
export function health(readiness: () => Promise<Readiness>): Protocol {
  return {
    name: 'health',
    open: true,
    routes: [
      { method: 'GET', path: '/healthz', handler: () => probe(200, {}) },
      { method: 'GET', path: '/readyz', handler: async () => readinessReply(await readiness()) },
    ],
    refuse,
  };
}

function readinessReply(readiness: Readiness): Reply {
  if (readiness.ready) return probe(200, { note: readiness.note });
  const { reason } = readiness;
  return probe(503, { reason, description: `The broker cannot serve now: ${reason}.` });
}

function probe(status: number, body: object): Reply {
  return { status, headers: { 'Cache-Control': 'no-store' }, body };
}

function refuse(error: unknown): Reply {
  if (!(error instanceof BadCall)) return probe(500, { description: 'The broker could not tell its state.' });
  return { status: error.status, headers: error.headers, body: { description: error.message } };
}
