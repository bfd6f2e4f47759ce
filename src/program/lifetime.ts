import { banner, countOf, type Introduction } from './banner.ts';
import { compose, type BrokerProgram } from './compose.ts';
import type { Config } from './config.ts';
import type { Log } from '../telemetry/log.ts';
import { loadValidator } from '../catalog/json-schema/drafts.ts';
import { withinTime } from '../broker/timing.ts';
import { endOnTheUnexpected } from './last-resort.ts';
import { heedSignals } from '../system/held-signals.ts';
import { isClosedOutput } from '../system/output.ts';
import { version } from './version.ts';

/** Milliseconds within which a second signal is the same one: npm passes on what the terminal sent already. */
const echoOfSignal = 500;

/** Milliseconds after the end that whatever still runs is left. */
const lastMoment = 500;

/** Milliseconds until it is tried again to load what could not be loaded. */
const aMoment = 1000;

/**
 * Runs the program until a signal (or a closed output) ends it; SIGHUP reloads the catalog and the certificate, as soon as they are there. A
 * second signal ends it at once.
 * @returns the exit code: 0 when everything ended in time
 * @throws what keeps the program from ever being ready
 */
export async function serveUntilStopped(config: Config, log: Log): Promise<number> {
  const signals = followSignals();
  const protect = endOnTheUnexpected(log);
  const composing = compose(config, log, signals.stop);
  const begun = await Promise.race([composing, signals.untilStopped]);
  if (typeof begun === 'string') log.note('info', 'stopping', { why: begun });
  const program = typeof begun === 'string' ? await slippedThrough(composing) : begun;
  if (!program) return endUnbegun(log);
  protect(program);
  // What keeps it from being read is told where it is read.
  signals.onReload(() => void program.reload().catch(() => undefined));
  const failed = program.ready.then(
    (found) => {
      introduce(config, log, { ...program.introduction, ...found });
      loadChecks();
      return signals.untilStopped;
    },
    (error: Error) => error,
  );
  const why = await Promise.race([signals.untilStopped, failed, program.lost]);
  if (typeof why === 'string' && why !== begun) log.note('info', 'stopping', { why });
  const clean = await program.close(config.drain);
  // A step that has not ended although it was told to is somebody else's by now.
  setTimeout(() => process.exit(), lastMoment).unref();
  if (typeof why !== 'string') throw why;
  if (clean) log.note('info', 'stopped');
  else giveUp(log);
  return 0;
}

/** What was begun in the moment in which it was to stop is to be ended. */
async function slippedThrough(composing: Promise<BrokerProgram>): Promise<BrokerProgram | undefined> {
  return withinTime(
    composing.catch(() => undefined),
    lastMoment,
  );
}

/** Nothing has been opened; what is read still, such as a catalog that hangs, is left. */
function endUnbegun(log: Log): number {
  setTimeout(() => process.exit(), lastMoment).unref();
  log.note('info', 'stopped');
  return 0;
}

/** What has not ended would keep the process alive; others take over its work when their leases have run out. */
function giveUp(log: Log): never {
  log.note('warn', 'stopped before everything had ended');
  process.exit(1);
}

/** What signals, and the end of the output, say. */
interface Signals {
  /** Gives the reason. */
  readonly untilStopped: Promise<string>;
  readonly stop: AbortSignal;
  /** Is called now if that was asked for before, and whenever it is from now on. */
  readonly onReload: (reload: () => void) => void;
}

function followSignals(): Signals {
  const { promise: untilStopped, resolve } = Promise.withResolvers<string>();
  const control = new AbortController();
  let first: number | undefined;
  let reload: (() => void) | undefined;
  let isReloadAsked = false;
  function stop(reason: string): void {
    resolve(reason);
    control.abort(new Error('The start was cancelled.'));
  }
  heedSignals((signal, at) => {
    if (signal === 'SIGHUP') {
      isReloadAsked ||= reload === undefined;
      return reload?.();
    }
    first ??= at;
    if (at - first > echoOfSignal) process.exit(1);
    stop(signal);
  });
  // Who read it has gone, or the terminal was closed. That it cannot be written now is no reason to stop serving.
  process.stdout.on('error', (error) => {
    if (isClosedOutput(error, process.stdout)) stop('the output was closed');
  });
  return {
    untilStopped,
    stop: control.signal,
    onReload(given) {
      reload = given;
      if (isReloadAsked) reload();
    },
  };
}

function introduce({ logFormat }: Config, log: Log, introduction: Introduction): void {
  if (logFormat === 'text') {
    log.show(banner(introduction));
    return;
  }
  const { offered, madePassword, operator, ...fields } = introduction;
  log.note('info', 'ready', {
    version: version(),
    ...fields,
    catalog: countOf(offered.catalog),
    hidden: offered.hidden.length,
    passwordFile: madePassword?.file,
    operator: operator?.username ?? 'off: OPERATOR_PASSWORD is not set',
    operatorPasswordFile: operator?.file,
  });
}

/** What no start waits for, and what could not be loaded any more when the process has no descriptor left. */
function loadChecks(): void {
  try {
    loadValidator();
  } catch {
    setTimeout(loadChecks, aMoment).unref();
  }
}
