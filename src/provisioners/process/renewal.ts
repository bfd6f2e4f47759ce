import { codeOf } from '../../system/error-code.ts';
import { programBehind } from '../../system/sandbox/inside.ts';
import {
  type CertificateMark,
  ensureCertificate,
  findCertificate,
  isDue,
  noteLoaded,
  tellAuthorities,
} from './certificate.ts';
import type { ProcessContext } from './context.ts';
import type { UnitBlueprint } from './files/blueprint.ts';
import { findConfigured } from './files/state.ts';
import { exchange } from './probe/tcp.ts';
import { findLive } from './units/launched.ts';

/** How it is with the certificate of what runs. */
export interface Renewed {
  /** The units that live with an older one than is in the files, and take the new one at a restart. */
  readonly outdated: readonly string[];
  /** That it could not be replaced, as a clause. */
  readonly warning?: string;
}

/** Milliseconds that a program has to say that it has read it. */
const saying = 2000;

/** Milliseconds after which it is asked again which authority signs. */
const askedAgain = 10_000;

/**
 * Replaces the certificate of what runs when it is past two thirds of its life or another authority signs, and has each
 * unit read it in the way that the offering says. Until a unit has, it is tried at every look.
 */
export async function renewCertificate(context: ProcessContext, now: Date = new Date()): Promise<Renewed> {
  const { directory, work } = context;
  const before = findCertificate(directory);
  const units = Object.entries(findConfigured(directory)?.units ?? {}).filter(([unit]) =>
    findLive(directory, unit),
  );
  if (work.plan.operating.tls !== true || !before || units.length === 0) return { outdated: [] };
  const warning = await replaceInTime(context, before, now);
  const { serial, loaded } = findCertificate(directory) ?? before;
  const outdated: string[] = [];
  for (const [unit, { renewal = 'restart' }] of units) {
    if (loaded[unit] === serial) continue;
    if (renewal === 'restart') outdated.push(unit);
    else if (await hasRead(context, unit, renewal)) noteLoaded(context, [unit], serial);
  }
  return { outdated, warning };
}

/** What keeps it from being replaced, such as a database that is away, is no reason to call the service down. */
async function replaceInTime(
  context: ProcessContext,
  before: CertificateMark,
  now: Date,
): Promise<string | undefined> {
  // Who signs is asked for at every look, and that it cannot be said now is told by others.
  const inForce = await context.certificates?.inForce(askedAgain).catch(() => undefined);
  try {
    if (isDue(before, now, inForce?.signer)) await ensureCertificate(context, now);
    else if (inForce) tellAuthorities(context, inForce.roots);
    return undefined;
  } catch {
    return `its certificate ends at ${before.notAfter} and could not be replaced`;
  }
}

async function hasRead(
  { directory, node, work }: ProcessContext,
  unit: string,
  renewal: Exclude<NonNullable<UnitBlueprint['renewal']>, 'restart'>,
): Promise<boolean> {
  if (renewal === 'none') return true;
  if (typeof renewal === 'string') return sendSignal(directory, unit, node.sandbox, renewal);
  const address = { host: node.host, port: renewal.port, ca: findCertificate(directory)?.ca };
  return (await exchange(address, renewal.talk, saying, work.signal)).is === 'ready';
}

/** To the program alone: what it stands behind, and what it has started, may end by it. */
function sendSignal(
  directory: ProcessContext['directory'],
  unit: string,
  sandbox: ProcessContext['node']['sandbox'],
  signal: NodeJS.Signals,
): boolean {
  const live = findLive(directory, unit);
  if (!live) return false;
  try {
    process.kill(programBehind(live.identity.pid, sandbox), signal);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false;
    throw error;
  }
}
