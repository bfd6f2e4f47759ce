import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A file to be written, by its path below the catalog directory. */
export interface CatalogFile {
  readonly path: string;
  readonly text: string;
  readonly executable: boolean;
}

/** The provisioners for which there is a file to begin with. */
export const starterKinds = ['process', 'command', 'postgres', 'directory'] as const;

export type StarterKind = (typeof starterKinds)[number];

/** An offering file of this kind, and the hooks that it names. */
export function starterFiles(
  name: string,
  { provisioner, program }: { readonly provisioner: StarterKind; readonly program: string },
): readonly CatalogFile[] {
  const values: Readonly<Record<string, string>> = {
    'OFFERING-NAME': name,
    'OFFERING-ID': crypto.randomUUID(),
    'PLAN-ID': crypto.randomUUID(),
    PROGRAM: program,
  };
  const filled = (file: string, more: Readonly<Record<string, string>> = {}) =>
    Object.entries({ ...values, ...more }).reduce(
      (text, [word, value]) => text.replaceAll(word, value),
      readFileSync(join(import.meta.dirname, file), 'utf8'),
    );
  const hooks = provisioner === 'command' ? ['prepare', 'bind', 'unbind', 'remove'] : [];
  return [
    { path: `${name}.yaml`, text: filled(`${provisioner}.yaml`), executable: false },
    ...hooks.map((hook) => ({
      path: `hooks/${name}/${hook}`,
      text: filled('hook.sh', { HOOK: `hook ${hook}` }) + (hook === 'prepare' ? answerOfPrepare : ''),
      executable: true,
    })),
  ];
}

const answerOfPrepare = `echo '{"uri": "https://example.com/"}'\n`;
