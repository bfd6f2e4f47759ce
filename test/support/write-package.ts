/**
 * Writes `dist/`, the sources as a package holds them: Node takes the types out of no file below node_modules, so they
 * are taken out here, by the same function. What was a type becomes blanks: lines and columns in traces stay.
 */
import { cpSync, readFileSync, rmSync, writeFileSync, globSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join } from 'node:path';
import { makeDirectory } from '../../src/system/make-directory.ts';

const root = join(import.meta.dirname, '../..');
const [src, dist] = [join(root, 'src'), join(root, 'dist')];
rmSync(dist, { recursive: true, force: true });
for (const file of globSync('**/*.*', { cwd: src, exclude: ['**/*.md', 'start.js'] })) {
  makeDirectory(dirname(join(dist, file)));
  if (file.endsWith('.ts')) writeFileSync(join(dist, scriptName(file)), stripped(join(src, file)));
  else cpSync(join(src, file), join(dist, file));
}

function stripped(file: string): string {
  return stripTypeScriptTypes(readFileSync(file, 'utf8')).replaceAll(
    /(?<=['"])\.{1,2}\/[\w./-]+\.ts(?=['"])/g,
    scriptName,
  );
}

function scriptName(file: string): string {
  return file.replace(/\.ts$/, '.js');
}
