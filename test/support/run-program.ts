import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

export interface Running {
  readonly child: ChildProcess;
  /** Sends the signal to it, and to all of its group if it has its own. */
  readonly signal: (signal: NodeJS.Signals) => void;
  /** All that it has written to its output so far. */
  readonly output: () => string;
  /** Waits until its output matches; fails with all it wrote when it ends before. */
  readonly shows: (pattern: RegExp) => Promise<RegExpExecArray>;
  readonly ended: Promise<Ended>;
}

export interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Runs the program as a person would, with this environment and nothing of ours but the PATH. */
export function runProgram(args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  return run(process.execPath, ['src/start.js', ...args], env, false);
}

/** As a terminal does it: in a process group of its own, which gets what is sent to `-child.pid`. */
export function runInGroup(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Running {
  return run(command, args, env, true);
}

function run(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  detached: boolean,
): Running {
  const child = spawn(command, args, {
    detached,
    cwd: root,
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output, errors }));
  });

  async function shows(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(output);
      if (found) return found;
      const more = new Promise<undefined>((resolve) => child.stdout.once('data', () => resolve(undefined)));
      const end = await Promise.race([more, ended]);
      if (end && !pattern.test(output)) {
        throw new Error(`It ended with ${end.code} and never showed ${pattern}:\n${end.output}${end.errors}`);
      }
    }
  }

  function signal(name: NodeJS.Signals): void {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    process.kill(detached ? -child.pid : child.pid, name);
  }
  return { child, signal, output: () => output, shows, ended };
}
