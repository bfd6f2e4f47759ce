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
  if (work.plan.operating.tls !== true || !before) return { outdated: [] };
  const units = await liveUnits(context);
  if (units.length === 0) return { outdated: [] };
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
    else if (inForce) await tellAuthorities(context, inForce.roots);
    return undefined;
  } catch {
    return `its certificate ends at ${before.notAfter} and could not be replaced`;
  }
}

async function liveUnits(context: ProcessContext): Promise<readonly [string, UnitBlueprint][]> {
  const { directory, runner } = context;
  const units = Object.entries(findConfigured(directory)?.units ?? {});
  const live = await Promise.all(units.map(([unit]) => runner.isLive(context, unit)));
  return units.filter((_, index) => live[index]);
}

async function hasRead(
  context: ProcessContext,
  unit: string,
  renewal: Exclude<NonNullable<UnitBlueprint['renewal']>, 'restart'>,
): Promise<boolean> {
  const { directory, node, runner, work } = context;
  if (renewal === 'none') return true;
  if (typeof renewal === 'string') return runner.signalProgram(context, unit, renewal);
  const address = { host: node.host, port: renewal.port, ca: findCertificate(directory)?.ca };
  return (await exchange(address, renewal.talk, saying, work.signal)).is === 'ready';
}
