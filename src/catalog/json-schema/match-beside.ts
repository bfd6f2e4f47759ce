import { Worker } from 'node:worker_threads';
import { Undecided } from '../../broker/when-decided.ts';

/** Milliseconds for one text and one pattern; enough for a machine that is busy with other things. */
const limit = 2000;
/** Milliseconds for a thread to start, once. */
const startLimit = 20_000;
/** Matches that wait their turn; more are refused at once. */
const mostWaiting = 100;
/** Milliseconds that a thread without work is kept. */
const keepFor = 30_000;

interface Job {
  readonly pattern: string;
  readonly text: string;
  readonly resolve: (matches: boolean) => void;
  readonly reject: (error: Error) => void;
}

const waiting: Job[] = [];
let thread: Worker | undefined;
let isBusy = false;
let idle: NodeJS.Timeout | undefined;

/**
 * Does the pattern match the text? One thread answers, one question after another; the thread is ended and made
 * anew when a question takes too long.
 * @throws Undecided
 */
export function matchesBeside(pattern: string, text: string): Promise<boolean> {
  if (waiting.length >= mostWaiting) return Promise.reject(new Undecided(text));
  return new Promise((resolve, reject) => {
    waiting.push({ pattern, text, resolve, reject });
    void work();
  });
}

async function work(): Promise<void> {
  if (isBusy) return;
  isBusy = true;
  clearTimeout(idle);
  for (let job = waiting.shift(); job; job = waiting.shift()) {
    try {
      thread ??= await startThread();
      job.resolve(await answerOf(thread, job));
    } catch {
      // It takes too long, or it has broken the thread: the next one gets another thread.
      void thread?.terminate();
      thread = undefined;
      job.reject(new Undecided(job.text));
    }
  }
  isBusy = false;
  idle = setTimeout(() => {
    void thread?.terminate();
    thread = undefined;
  }, keepFor).unref();
}

async function startThread(): Promise<Worker> {
  const started = new Worker(new URL('./match-thread.ts', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: 128 },
    // Nothing of the broker's own is for it.
    env: {},
    execArgv: [],
  });
  // For its whole life: what happens to it while nobody asks is no matter.
  started.on('error', () => {
    if (thread === started) thread = undefined;
  });
  started.on('exit', () => {
    if (thread === started) thread = undefined;
  });
  try {
    await messageFrom(started, startLimit);
  } catch (error) {
    void started.terminate();
    throw error;
  }
  return started;
}

async function answerOf(asked: Worker, { pattern, text }: Job): Promise<boolean> {
  const answer = messageFrom(asked, limit);
  asked.postMessage({ pattern, text });
  return (await answer) === true;
}

function messageFrom(from: Worker, ms: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => end(() => reject(new Error('too slow'))), ms);
    const end = (settle: () => void) => {
      clearTimeout(timer);
      from.off('message', hear).off('error', fail).off('exit', fail);
      // A thread that has nothing to do does not keep the process alive.
      from.unref();
      settle();
    };
    const hear = (message: unknown) => end(() => resolve(message));
    const fail = () => end(() => reject(new Error('ended')));
    from.ref();
    from.on('message', hear).on('error', fail).on('exit', fail);
  });
}
