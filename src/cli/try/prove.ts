import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Proof } from '../../broker/catalog.ts';
import type { JsonObject } from '../../broker/json.ts';
import { render } from '../../broker/template.ts';
import { runProgram } from '../../system/run-program.ts';

/** How an offering is proven here. */
export interface Prover {
  readonly proof: Proof;
  /** The directories of offering files, where its executable is looked for. */
  readonly directories: readonly string[];
  /** Where other executables are looked for. */
  readonly path: string;
}

/** Runs what proves a binding. @returns why it did not work; undefined: it did. Never a credential */
export async function prove(
  { proof, directories, path }: Prover,
  credentials: JsonObject,
): Promise<string | undefined> {
  const [program = '', ...args] = proof.run;
  const file = program.includes('/') ? fileIn(directories, program) : program;
  const env = Object.entries(proof.env).map(([name, template]) => {
    const value = render(template, { credentials });
    return [name, typeof value === 'string' ? value : JSON.stringify(value)] as const;
  });
  const ran = await runProgram(
    { path },
    {
      command: [file, ...args],
      cwd: '/',
      env: { PATH: path, LANG: 'C.UTF-8', ...Object.fromEntries(env) },
      input: `${JSON.stringify(credentials)}\n`,
      timeoutMs: proof.timeout,
    },
  );
  if (ran.timedOut) return `${program} did not end within ${proof.timeout / 1000} s`;
  return ran.code === 0 ? undefined : `${program} ended with ${ran.code ?? 'a signal'}`;
}

function fileIn(directories: readonly string[], program: string): string {
  const found = directories.map((directory) => resolve(directory, program)).find(existsSync);
  if (found !== undefined) return found;
  throw new Error(`There is no ${program} in ${directories.join(', ')}.`);
}
