import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { runInGroup, runProgram, type Ended, type Running } from './run-program.ts';
import { scratchDirectory } from './scratch-directory.ts';

export interface StartedBrokers {
  /** A directory for this test file, gone after it. */
  readonly scratch: string;
  /** Runs the program on a free port with logs for people, which show the banner, and an embedded database. */
  readonly start: (env?: Readonly<Record<string, string>>) => Running;
  /** The same through npm, in a process group as a terminal makes it. */
  readonly npmStart: () => Running;
}

/** Real processes for the tests of one file. None survives its test. */
export function startedBrokers(): StartedBrokers {
  const scratch = scratchDirectory('start');
  // Run by root, the embedded database has another user, who must get in.
  chmodSync(scratch, 0o755);
  const started: Running[] = [];
  const common = { PORT: '0', HOST: '127.0.0.1', LOG_FORMAT: 'text', DATA_DIR: join(scratch, 'data') };

  afterEach(async () => {
    for (const { signal, ended } of started.splice(0)) {
      signal('SIGKILL');
      await ended;
    }
  });

  function keep(running: Running): Running {
    started.push(running);
    return running;
  }
  return {
    scratch,
    start: (env = {}) => keep(runProgram([], { ...common, ...env })),
    npmStart: () => keep(runInGroup('npm', ['start', '--silent'], common)),
  };
}

/** Waits for the end of the banner. */
export async function addressOf(running: Running): Promise<string> {
  const [, address = ''] = await running.shows(/listens on (http:\/\/\S+)[^]*\/v2\/catalog\n/);
  return address;
}

export function stop({ signal, ended }: Running): Promise<Ended> {
  signal('SIGTERM');
  return ended;
}

/** A request as a platform sends it. @param login as user:password */
export function call(
  login: string,
  url: string,
  { method = 'GET', body }: { method?: string; body?: object } = {},
): Promise<Response> {
  const headers = {
    authorization: `Basic ${Buffer.from(login).toString('base64')}`,
    'x-broker-api-version': '2.17',
    'content-type': 'application/json',
  };
  return fetch(url, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
}
