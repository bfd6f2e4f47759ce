// The certificate of an instance whose plan speaks TLS: made before something starts, replaced before it ends.
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../broker/errors.ts';
import type { JsonObject } from '../../broker/json.ts';
import type { AuthorityInForce } from '../../broker/nodes.ts';
import type { InstanceContext } from '../../node/instance-context.ts';
import type { InstanceDirectory } from '../../node/instance-directory.ts';
import { readMark, writeMarkSync } from '../../node/state-files.ts';
import { writeFiles } from './files/write.ts';

/** What is remembered of the certificate in an instance's files. */
export interface CertificateMark {
  readonly serial: string;
  readonly names: readonly string[];
  /** ISO 8601. */
  readonly renewAt: string;
  /** ISO 8601. */
  readonly notAfter: string;
  /** The authorities that were told of, as PEM. */
  readonly ca: string;
  /** The generation of the one that has signed it; absent: the first. */
  readonly authority?: number;
  /** The serial of what each unit has loaded. */
  readonly loaded: Readonly<Record<string, string>>;
}

/** Below `conf`. Certificate and key are one file, so that no fault leaves one of each; readers of PEM take their part. */
const pairFile = 'tls/server.pem';
const caFile = 'tls/ca.pem';

/** The template root `tls`, but for `ca_pem`. */
export function tlsPaths({ conf }: Pick<InstanceDirectory, 'conf'>): JsonObject {
  return { cert: join(conf, pairFile), key: join(conf, pairFile), ca: join(conf, caFile) };
}

/** Undefined when there has never been one. */
export function findCertificate(directory: InstanceDirectory): CertificateMark | undefined {
  return readMark(directory, name) as CertificateMark | undefined;
}

/**
 * What is in the files is good for a while, for the names that the instance has now and by authorities that are told of;
 * where the plan has no TLS nothing is done. What was interrupted is done again.
 * @param now the clock; by default the system's
 * @throws Failure when this broker makes no certificates
 */
export async function ensureCertificate(context: InstanceContext, now: Date = new Date()): Promise<void> {
  const { node, directory, certificates, work } = context;
  if (work.plan.operating.tls !== true) return;
  if (!certificates) throw new Failure('no-certificates', 'The service cannot be given a certificate here.');
  const before = findCertificate(directory);
  const [names, inForce] = [namesOf(context), await certificates.inForce(0)];
  if (before && isGood(before, names, inForce, now) && isThere(directory)) return;
  const issued = await certificates.issue(names);
  await writeFiles(node, directory.conf, {
    [pairFile]: { content: issued.certificate + issued.key, mode: 0o600 },
    [caFile]: { content: issued.roots, mode: 0o600 },
  });
  saveMark(directory, {
    serial: issued.serial,
    names,
    renewAt: issued.renewAt.toISOString(),
    notAfter: issued.notAfter.toISOString(),
    ca: issued.roots,
    authority: issued.authority,
    loaded: before?.loaded ?? {},
  });
}

/** These units have read the certificate of this serial; by default that which is in the files now. */
export function noteLoaded(
  { directory }: Pick<InstanceContext, 'directory'>,
  units: readonly string[],
  serial?: string,
): void {
  const mark = findCertificate(directory);
  if (!mark || units.every((unit) => mark.loaded[unit] === (serial ?? mark.serial))) return;
  const loaded = Object.fromEntries(units.map((unit) => [unit, serial ?? mark.serial]));
  saveMark(directory, { ...mark, loaded: { ...mark.loaded, ...loaded } });
}

/** Bindings are told of these authorities from now on, where there are others than before. */
export async function tellAuthorities({ node, directory }: InstanceContext, ca: string): Promise<void> {
  const mark = findCertificate(directory);
  if (!mark || mark.ca === ca) return;
  await writeFiles(node, directory.conf, { [caFile]: { content: ca, mode: 0o600 } });
  saveMark(directory, { ...mark, ca });
}

/**
 * Is it time to replace it?
 * @param signer the generation of the authority that signs now, where that is known
 */
export function isDue({ renewAt, authority = 1 }: CertificateMark, now: Date, signer?: number): boolean {
  return Date.parse(renewAt) <= now.getTime() || (signer !== undefined && authority < signer);
}

function isGood(
  mark: CertificateMark,
  names: readonly string[],
  { signer, roots }: AuthorityInForce,
  now: Date,
): boolean {
  return !isDue(mark, now, signer) && mark.names.join(' ') === names.join(' ') && mark.ca === roots;
}

function isThere({ conf }: InstanceDirectory): boolean {
  return [pairFile, caFile].every((file) => lstatSync(join(conf, file), { throwIfNoEntry: false })?.isFile());
}

/** Where applications find it, and where it listens for those on this machine. */
function namesOf({ node: { host, bind } }: InstanceContext): readonly string[] {
  const everywhere = bind === '0.0.0.0' || bind === '::';
  return [...new Set([host, ...(everywhere ? ['127.0.0.1', 'localhost'] : [bind])])];
}

function saveMark(directory: InstanceDirectory, mark: CertificateMark): void {
  writeMarkSync(directory, name, mark as unknown as JsonObject);
}

const name = 'certificate';
