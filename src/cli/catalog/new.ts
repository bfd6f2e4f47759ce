import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { readCatalogDirs, readOwnCatalogDir } from '../../config/catalog-directories.ts';
import { oneOf, path } from '../../config/kinds.ts';
import { defineCommand } from '../command.ts';
import { printFor } from '../output/print.ts';
import { argument, asJson, flag, option, someText } from '../parameters.ts';
import {
  starterFiles,
  starterKinds,
  type CatalogFile,
  type StarterKind,
} from '../../catalog/starters/starter-files.ts';
import { makeDirectory } from '../../system/make-directory.ts';

export const catalogNew = defineCommand({
  words: 'catalog new',
  description: 'Write an offering file to begin with: commented, and good as it is.',
  arguments: [argument('name', someText(), 'the name of the service offering')],
  options: {
    provisioner: option('--provisioner <name>', oneOf(...starterKinds), 'how instances are made'),
    program: option('--program <name>', someText(), 'the executable that an instance runs or needs'),
    from: option('--from <offering>', someText(), 'begin with a copy of this one, with new ids'),
    directory: option(
      '--directory <path>',
      path(),
      'where it is written, in place of the first of CATALOG_DIR',
    ),
    force: flag('--force', 'in place of a file that is there'),
    ...asJson,
  },
  async run([name], { provisioner, program, from, directory = readOwnCatalogDir(), force, json }) {
    requireName(name);
    const files =
      from === undefined
        ? starterFiles(name, await answered(provisioner, program))
        : await copied(name, from, [directory, ...readCatalogDirs()]);
    const taken = files.filter((file) => existsSync(join(directory, file.path)));
    if (taken.length > 0 && !force) {
      throw new Error(`${join(directory, taken[0]?.path ?? '')} is there already: --force writes over it.`);
    }
    for (const file of files) write(join(directory, file.path), file.text, file.executable);
    const written = files.map((file) => join(directory, file.path));
    const lines = written.map((file) => `wrote  ${file}`).join('\n');
    printFor(json, { written }, `${lines}\n\nNext: purveyor catalog lint ${directory}`);
    return 0;
  },
});

async function copied(
  name: string,
  from: string,
  directories: readonly string[],
): Promise<readonly CatalogFile[]> {
  const { copyOffering } = await import('../../catalog/starters/copy-offering.ts');
  return copyOffering(name, from, directories);
}

function requireName(name: string): void {
  if (/^[a-z0-9](?:[a-z0-9.-]{0,48}[a-z0-9])?$/.test(name)) return;
  throw new Error('<name> must be 1 to 50 small letters, digits, - and ., as platforms want it.');
}

interface Answers {
  readonly provisioner: StarterKind;
  readonly program: string;
}

/** What was not said is asked for on a terminal; elsewhere it is what most want. */
async function answered(provisioner?: StarterKind, program?: string): Promise<Answers> {
  const kind = provisioner ?? (await choose());
  if (program !== undefined || kind === 'postgres' || kind === 'directory') {
    return { provisioner: kind, program: program ?? '' };
  }
  const asked = await ask(`Which executable does an instance ${kind === 'process' ? 'run' : 'need'}? `);
  return { provisioner: kind, program: asked || 'sh' };
}

async function choose(): Promise<StarterKind> {
  const given = await ask(`How is an instance made (${starterKinds.join(', ')})? [process] `);
  const found = starterKinds.find((one) => one === (given || 'process'));
  if (found) return found;
  throw new Error(`There is no '${given}' here: ${starterKinds.join(', ')}.`);
}

async function ask(question: string): Promise<string> {
  if (!process.stdin.isTTY) return '';
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await terminal.question(question)).trim();
  } finally {
    terminal.close();
  }
}

function write(file: string, text: string, executable: boolean): void {
  makeDirectory(dirname(file));
  const isOffering = file.endsWith('.yaml');
  writeFileSync(file, isOffering ? `${editorLine(file)}${text}` : text);
  if (executable) chmodSync(file, 0o755);
}

/** Where editors find the form of the file. */
function editorLine(file: string): string {
  const schema = join(import.meta.dirname, '..', '..', '..', 'docs', 'offering-file.schema.json');
  return `# yaml-language-server: $schema=${relative(dirname(file), schema)}\n`;
}
