/** Writes what docs/ has of the schema of offering files: its tables of keys, and the schema that editors read. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { publishedSchema } from '../../src/catalog/form/published-schema.ts';
import { shippedTraits } from '../../src/program/shipped.ts';
import { withKeyTables } from './key-tables.ts';

const docs = join(import.meta.dirname, '../../docs');
const [guide, schema] = ['offering-file.md', 'offering-file.schema.json'].map((name) => join(docs, name)) as [
  string,
  string,
];
writeFileSync(guide, withKeyTables(readFileSync(guide, 'utf8')));
writeFileSync(schema, JSON.stringify(publishedSchema(shippedTraits()), undefined, 2));
execFileSync('npx', ['--no-install', 'prettier', '--write', guide, schema], { stdio: 'inherit' });
