import { createHash, createSecretKey } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import { join } from 'node:path';
import type { ProvisionerTraits } from '../broker/provisioner.ts';
import type { CheckedFiles } from '../catalog/compile.ts';
import { fingerprint, offeringFiles } from '../catalog/files.ts';
import type { KeyRing } from '../stores/keyring.ts';
import { openText, type Sealed, sealText } from '../stores/sealed-text.ts';
import { notePrivately, readJson } from '../system/private-file.ts';

/** What the last start found of offering files that are still the same. */
export interface RememberedCatalog {
  /** Absent when anything is another than it was. */
  readonly files?: CheckedFiles;
  /** Keeps what was found for the next start, where that can be written, unless the files have changed meanwhile. */
  readonly keep: (files: CheckedFiles) => Promise<void>;
}

/** All that what is found depends on. */
export interface FoundFrom {
  readonly directories: readonly string[];
  /** The fingerprint of the directories. */
  readonly since: string;
  readonly traits: Readonly<Record<string, ProvisionerTraits>>;
}

/**
 * Opens what was kept of a catalog: to read and judge it anew takes a fifth of a start. It is encrypted under a hash of
 * all that it was found from. So it opens as long as the offering files, their hooks and the program that judges them
 * are what they were, and tells nothing to whoever cannot read the files anyway.
 * @param file where it is; absent: nothing is kept
 */
export async function rememberedCatalog(
  file: string | undefined,
  from: FoundFrom,
): Promise<RememberedCatalog> {
  const ring = await ringOf(from).catch(() => undefined);
  if (file === undefined || !ring) return { keep: () => Promise.resolve() };
  const files = opened(file, ring);
  return {
    files,
    async keep(found) {
      if (files || !found.texts || (await fingerprint(from.directories)) !== from.since) return;
      try {
        notePrivately(file, JSON.stringify(sealText(ring, place, JSON.stringify(found))));
      } catch {
        // A broker that may write nothing reads its catalog at each start.
      }
    },
  };
}

const place = 'the remembered catalog';

async function ringOf({ directories, since, traits }: FoundFrom): Promise<KeyRing> {
  const hash = createHash('sha256').update(
    JSON.stringify([since, traits, programPrint(), process.getuid?.()]),
  );
  for (const directory of directories) {
    const files = await offeringFiles(directory).catch(() => []);
    for (const file of files) hash.update(await readFile(file).catch(() => ''));
  }
  return [{ id: 'catalog', secret: createSecretKey(hash.digest()) }];
}

/** Another one as soon as a source of what judges a catalog is another one, or Node or a package that it needs. */
function programPrint(): readonly unknown[] {
  const rooms = ['broker', 'catalog'].map((room) => join(import.meta.dirname, '..', room));
  const sources = rooms.flatMap((room) =>
    readdirSync(room, { recursive: true, encoding: 'utf8' }).map((name) => join(room, name)),
  );
  const packages = ['ajv', 'ajv-draft-04', 'ajv-formats', 're2js', 'yaml'];
  const manifests = packages.map((name) => findPackageJSON(name, import.meta.url) ?? '');
  return [process.version, [...sources, ...manifests].map(filePrint)];
}

function filePrint(path: string): string {
  const { ino, size, mtimeMs, ctimeMs } = statSync(path);
  return [path, ino, size, mtimeMs, ctimeMs].join(' ');
}

/** Undefined when it is not there, was found from something else, or may have been written by somebody else. */
function opened(file: string, ring: KeyRing): CheckedFiles | undefined {
  try {
    const { uid, mode } = statSync(file);
    if (uid !== process.getuid?.() || (mode & 0o022) !== 0) return undefined;
    return JSON.parse(openText(ring, place, readJson(file) as unknown as Sealed)) as CheckedFiles;
  } catch {
    return undefined;
  }
}
