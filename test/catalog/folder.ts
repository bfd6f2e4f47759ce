import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { JsonObject } from '../../src/broker/json.ts';
import type { ProvisionerTraits } from '../../src/broker/provisioner.ts';
import type { LoadResult } from '../../src/catalog/compile.ts';
import { loadCatalog } from '../../src/catalog/load.ts';
import { problemLines } from '../../src/catalog/problem.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

/**
 * What `use` makes of a directory with these files. Objects are written as JSON; a text that says what runs it is
 * an executable.
 */
export async function withFolder<Result>(
  files: Readonly<Record<string, string | Uint8Array | JsonObject>>,
  use: (directory: string) => Promise<Result>,
): Promise<Result> {
  const directory = scratchDirectory('catalog');
  for (const [name, content] of Object.entries(files)) {
    const isText = typeof content === 'string' || content instanceof Uint8Array;
    const mode = typeof content === 'string' && content.startsWith('#!') ? 0o755 : 0o644;
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), isText ? content : JSON.stringify(content), { mode });
  }
  return use(directory);
}

export const traits: Readonly<Record<string, ProvisionerTraits>> = {
  plain: { config: { type: 'object' }, roots: [], selfContained: true },
  locked: {
    config: { type: 'object' },
    roots: [],
    secrets: { token: 'binding', admin: 'instance' },
    supports: ['hooks'],
    selfContained: true,
  },
  maker: {
    config: {
      type: 'object',
      additionalProperties: false,
      properties: {
        memory: { type: 'integer', minimum: 1 },
        mode: { enum: ['fast', 'slow'] },
        run: { type: 'array', items: { type: 'string' } },
        note: { type: 'string', maxLength: 20 },
        either: { anyOf: [{ type: 'integer' }, { type: 'object', required: ['a'] }] },
      },
    },
    settings: { type: 'object', properties: { memory: { type: 'integer', maximum: 1024 } } },
    roots: ['node', 'ports', 'deps'],
    supports: ['timeouts', 'monitor', 'hooks', 'requires_offerings', 'max_instances', 'cost'],
    selfContained: false,
  },
  /** As one that runs programs. */
  runner: {
    config: {
      type: 'object',
      properties: { needs: true, ports: true, files: true, processes: true, bind: true, unbind: true },
      additionalProperties: false,
    },
    roots: ['node', 'ports', 'dir', 'outputs', 'pids', 'mount'],
    members: { node: ['host', 'bind'], dir: ['conf', 'data'] },
    rootsOfBindings: ['mount'],
    perBinding: ['bind', 'unbind'],
    supports: ['timeouts', 'monitor', 'hooks', 'requires_offerings', 'max_instances', 'cost', 'actions'],
    selfContained: false,
    local: true,
  },
};

/** A program that a hook may name. */
export const program = '#!/bin/sh\n';

const guid = (last: number) => `0a3f7c52-5b0e-4d0b-9a6e-${String(last).padStart(12, '0')}`;

/** A file without any problem, with these changes; undefined takes a key away. */
export function anOffering(changes: object = {}): JsonObject {
  const offering = {
    id: guid(1),
    name: 'cache',
    description: 'A cache',
    provisioner: 'maker',
    credentials: { host: '{{node.host}}' },
    plans: [aPlan()],
    ...changes,
  };
  return JSON.parse(JSON.stringify(offering)) as JsonObject;
}

export function aPlan(changes: object = {}): JsonObject {
  return { id: guid(2), name: 'small', description: 'Not much', ...changes };
}

export { guid };

/** What loading the files gives, and its problems as lines without the directory: as they are, and without line and column. */
export function loaded(
  files: Readonly<Record<string, string | Uint8Array | JsonObject>>,
  known = traits,
): Promise<LoadResult & { readonly lines: readonly string[]; readonly placed: readonly string[] }> {
  return withFolder(files, async (directory) => {
    const result = await loadCatalog([directory], known, process.env['PATH']);
    const placed = problemLines(result.problems).map((line) =>
      line.replaceAll(`${directory}/`, '').replaceAll(directory, 'DIR'),
    );
    // Where in a file something stands is its own test's concern.
    const lines = placed.map((line) => line.replace(/^([^:]+\.\w+):\d+:\d+: /, '$1: ')).toSorted(compare);
    return { ...result, placed, lines };
  });
}

const { compare } = new Intl.Collator('en', { numeric: true });

/** The lines about one file that holds this offering. */
export async function linesOf(offering: JsonObject): Promise<readonly string[]> {
  const { lines } = await loaded({ 'a.json': offering });
  return lines.map((line) => line.replace(/^a\.json: /, ''));
}
