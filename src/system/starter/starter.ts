import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ENVIRONMENT } from '../account.ts';
import type { Exit, Order, Starter } from './beginning.ts';

interface News {
  readonly id: number;
  readonly pid?: number;
  readonly failed?: { readonly code?: string; readonly message: string };
  readonly ended?: Exit;
}

interface Waiting {
  readonly settle: (news: News | undefined) => void;
  ended?: Exit;
}

/**
 * A starter that is a small process of its own, begun when it is first needed and again when it was ended: to begin a
 * program copies the tables of memory of who does it, which takes ten times as long where that is the broker.
 * @param patience milliseconds after which one that does not answer is ended, and what waits at its gates with it
 */
export function openStarter(patience = 10_000): { readonly start: Starter; readonly close: () => void } {
  let helper: Helper | undefined;
  return {
    async start(it, log) {
      if (!helper?.isThere()) helper = openHelper(patience);
      return helper.begin(it, log);
    },
    close: () => helper?.close(),
  };
}

interface Helper {
  readonly isThere: () => boolean;
  readonly begin: Starter;
  readonly close: () => void;
}

function openHelper(patience: number): Helper {
  const child = spawnHelper();
  const waiting = new Map<number, Waiting>();
  let last = 0;
  let isThere = true;
  const give = (): void => {
    isThere = false;
    for (const { settle } of waiting.values()) settle(undefined);
  };
  for (const end of ['error', 'exit', 'disconnect'] as const) child.on(end, give);
  child.on('message', (news: News) => {
    const one = waiting.get(news.id);
    if (news.ended) {
      if (one) one.ended = news.ended;
      waiting.delete(news.id);
    } else one?.settle(news);
  });
  const tell = (order: Order): void => {
    if (isThere) child.send(order, (error) => error && end());
  };
  const end = (): void => {
    give();
    child.kill('SIGKILL');
  };
  return {
    isThere: () => isThere,
    close: () => void (child.connected && child.disconnect()),
    async begin(it, log) {
      const id = (last += 1);
      const answer = Promise.withResolvers<News | undefined>();
      const one: Waiting = { settle: answer.resolve };
      waiting.set(id, one);
      const timer = setTimeout(end, patience);
      tell({ id, begin: { ...it, log: `/proc/${process.pid}/fd/${log}` } });
      const news = await answer.promise.finally(() => clearTimeout(timer));
      if (news?.failed) {
        waiting.delete(id);
        throw Object.assign(new Error(news.failed.message), { code: news.failed.code });
      }
      if (news?.pid === undefined) return undefined;
      return {
        pid: news.pid,
        open: (text) => tell({ id, open: text }),
        close: () => tell({ id, close: true }),
        ended: () => one.ended ?? (isThere ? undefined : { code: null, signal: null }),
      };
    },
  };
}

/** Signals to the broker's group are not for it. */
function spawnHelper(): ChildProcess {
  const program = fileURLToPath(new URL('./program.js', import.meta.url));
  const child = spawn(process.execPath, ['--max-semi-space-size=1', program], {
    cwd: '/',
    env: ENVIRONMENT,
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  child.unref();
  child.channel?.unref();
  return child;
}
