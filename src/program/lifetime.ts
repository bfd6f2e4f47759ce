import { banner, countOf, type Introduction } from './banner.ts';
import { compose } from './compose.ts';
import type { Config } from './config.ts';
import type { Log } from '../telemetry/log.ts';
import { endOnTheUnexpected } from './last-resort.ts';
import { version } from './version.ts';

/** Milliseconds within which a second signal is the same one: npm passes on what the terminal sent already. */
const echoOfSignal = 500;

/** Milliseconds after the end that whatever still runs is left. */
const lastMoment = 500;

/**
 * Runs the program until a signal (or a closed output) ends it; SIGHUP reloads the catalog. A second signal ends
 * it at once.
 * @returns the exit code: 0 when everything ended in time
 * @throws what keeps the program from ever being ready
 */
export async function serveUntilStopped(config: Config, log: Log): Promise<number> {
  const stopped = untilStopped();
  const protect = endOnTheUnexpected(log);
  const program = await compose(config, log);
  protect(program);
  // What keeps it from being read is told where it is read; before the start has ended there is nothing to read again.
  process.on('SIGHUP', () => void program.reload().catch(() => undefined));
  const failed = program.ready.then(
    (found) => {
      introduce(config, log, { ...program.introduction, ...found });
      return stopped;
    },
    (error: Error) => error,
  );
  const why = await Promise.race([stopped, failed, program.lost]);
  if (typeof why === 'string') log.note('info', 'stopping', { why });
  const clean = await program.close(config.drain);
  // A step that has not ended although it was told to is somebody else's by now.
  setTimeout(() => process.exit(), lastMoment).unref();
  if (typeof why !== 'string') throw why;
  if (clean) log.note('info', 'stopped');
  else giveUp(log);
  return 0;
}

/** What has not ended would keep the process alive; others take over its work when their leases have run out. */
function giveUp(log: Log): never {
  log.note('warn', 'stopped before everything had ended');
  process.exit(1);
}

/** Gives the reason. */
function untilStopped(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let first: number | undefined;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      first ??= performance.now();
      if (performance.now() - first > echoOfSignal) process.exit(1);
      resolve(signal);
    });
  }
  // Who read it has gone, or the terminal was closed.
  process.stdout.on('error', () => resolve('the output was closed'));
  return promise;
}

function introduce({ logFormat }: Config, log: Log, introduction: Introduction): void {
  if (logFormat === 'text') {
    process.stdout.write(banner(introduction));
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
