import { type FSWatcher, watch } from 'node:fs';
import type { Catalog } from '../broker/catalog.ts';
import { fingerprint } from './files.ts';
import type { LoadResult } from './compile.ts';
import { mistake, type Problem } from './problem.ts';
import { messageOf } from './reason.ts';

export interface WatchedCatalog {
  readonly directories: readonly string[];
  readonly load: () => Promise<LoadResult>;
  /** Gets a catalog without errors; until then the one before stays in use. */
  readonly onCatalog: (catalog: Catalog) => void;
  /**
   * Gets whatever a load found, warnings too; with an error among them the catalog stays as it was. When
   * `load` itself rejects, that is told once, and it is tried again at every look.
   */
  readonly onProblems: (problems: readonly Problem[]) => void;
  /**
   * The files' fingerprint before the first load, so that nothing is missed that changed since; absent: as they are at
   * the first look.
   */
  readonly since?: string;
  /** Milliseconds without a further change before the files are read. */
  readonly calmMs?: number;
  /** Milliseconds between looks for changes that nobody told of, e.g. on a network file system. */
  readonly lookMs?: number;
}

export interface CatalogWatch {
  /** Loads now, changed or not, after a load that is going on. */
  reload(): Promise<void>;
  /** Ends when nothing is going on any more; nobody is called afterwards. */
  close(): Promise<void>;
}

/**
 * Loads the catalog again when its files change; the first load is the caller's. The system's notices only
 * make it quick: what counts is a look at the files, so directories may vanish, come back and be replaced.
 */
export function watchCatalog(watched: WatchedCatalog): CatalogWatch {
  const { directories, onCatalog, onProblems, since, calmMs = 100, lookMs = 2000 } = watched;
  let isClosed = false;
  let isForced = false;
  let seen = since;
  let isArmed = false;
  let watchers: readonly FSWatcher[] = [];
  let calm: NodeJS.Timeout | undefined;
  let told: string | undefined;

  const look = inTurn(async () => {
    const force = isForced;
    isForced = false;
    const now = await fingerprint(directories);
    if (isClosed) return;
    const isFirst = seen === undefined;
    const hasChanged = now !== seen;
    seen = now;
    // A directory that was replaced needs a new watcher.
    if (hasChanged || !isArmed) rearm();
    if (force || (hasChanged && !isFirst)) await loadOnce();
  });

  async function loadOnce(): Promise<void> {
    const { catalog, problems, isBroken } = await attempt(watched);
    if (isClosed) return;
    // What keeps the load itself from working may pass without any change of a file.
    isForced ||= isBroken;
    const trouble = isBroken ? JSON.stringify(problems) : undefined;
    if (problems.length > 0 && (!isBroken || trouble !== told)) onProblems(problems);
    told = trouble;
    if (catalog) onCatalog(catalog);
  }

  /** Nobody waits for it: what goes wrong is told, and the next look tries again. */
  function lookByItself(): void {
    look().catch((error: unknown) => onProblems([unreadable(error)]));
  }

  function rearm(): void {
    isArmed = true;
    for (const watcher of watchers) watcher.close();
    watchers = directories.flatMap((directory) => watchDirectory(directory, lookSoon));
  }

  function lookSoon(): void {
    clearTimeout(calm);
    calm = setTimeout(lookByItself, calmMs).unref();
  }

  const timer = setInterval(lookByItself, lookMs).unref();
  lookByItself();
  return {
    reload() {
      isForced = true;
      return look();
    },
    async close() {
      isClosed = true;
      clearInterval(timer);
      clearTimeout(calm);
      await look();
      for (const watcher of watchers) watcher.close();
    },
  };
}

async function attempt({ load }: WatchedCatalog): Promise<LoadResult & { readonly isBroken: boolean }> {
  try {
    return { ...(await load()), isBroken: false };
  } catch (error) {
    return { problems: [unreadable(error)], isBroken: true };
  }
}

function unreadable(error: unknown): Problem {
  return { file: 'catalog', ...mistake('', `The catalog could not be loaded: ${messageOf(error)}.`) };
}

/** No watcher for a directory that is not there, or when the system has none left: the looks go on. */
function watchDirectory(directory: string, onChange: () => void): readonly FSWatcher[] {
  try {
    return [watch(directory, { persistent: false }, onChange).on('error', onChange)];
  } catch {
    return [];
  }
}

/** One run at a time; calls during a run share the one that follows it. */
function inTurn(task: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  function start(): Promise<void> {
    next = undefined;
    running = task().finally(() => {
      running = undefined;
    });
    return running;
  }

  return () => {
    if (next) return next;
    if (!running) return start();
    next = running.then(start);
    return next;
  };
}
