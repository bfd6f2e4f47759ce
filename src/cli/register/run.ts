import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ourEnvironment } from '../../config/config.ts';
import { codeOf } from '../../system/error-code.ts';
import type { ClientCommand } from './platforms.ts';

/** Runs it with this terminal; gives its exit code. @throws Error with a sentence when there is no such program */
export async function runClient({ program, args, env, input, warning }: ClientCommand): Promise<number> {
  if (warning !== undefined) console.error(warning);
  const child = spawn(program, args, {
    stdio: [input === undefined ? 'inherit' : 'pipe', 'inherit', 'inherit'],
    env: { ...ourEnvironment(), ...env },
  });
  // It may end without reading all of it, and its exit code says so.
  child.stdin?.on('error', () => undefined).end(input);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return code ?? 1;
  } catch (error) {
    const why = codeOf(error) === 'ENOENT' ? 'is not installed here' : `cannot be run: ${codeOf(error)}`;
    throw new Error(`${program} ${why}. Without --run the commands are printed.`, { cause: error });
  }
}
