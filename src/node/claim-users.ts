// Which numbers of users each node of this machine has, whatever its database: two never share one.
import { randomInt } from 'node:crypto';
import { lstatSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { UserRange } from '../broker/nodes.ts';
import { whyNotUsers } from '../system/account.ts';
import { lockDirectory } from '../system/directory-lock.ts';
import { makeDirectory } from '../system/make-directory.ts';
import { isRecord, readJson, writePrivatelySync } from '../system/private-file.ts';
import { until } from '../system/until.ts';

/**
 * Where numbers come from that no operator has chosen, in blocks of which each node has one: far above those of people,
 * containers and systemd.
 */
export const ownNumbers: UserRange = { first: 2_100_000_000, last: 2_140_959_999 };
const blockSize = 4096;

/** In the node's directory: the block that it has. */
const memory = 'users.json';

export interface UsersWanted {
  /** The node's, its real path. */
  readonly directory: string;
  /** Chosen by the operator; absent: any that nobody of this machine has. */
  readonly range?: UserRange | undefined;
  /** Numbers that may not be among them. */
  readonly reserved: readonly number[];
  /** Where the machine keeps who has which: the first that can be made is taken. */
  readonly registries?: readonly string[] | undefined;
}

/** A range of one node. It is the node's until its directory is gone: what it has made may still be there. */
interface Claim extends UserRange {
  readonly directory: string;
  /** `<device>:<inode>` of the directory: another one of the same name is another node. */
  readonly place: string;
  /** Was it given, not chosen? */
  readonly given: boolean;
}

/**
 * Takes the numbers for a node, which no other node of this machine has or gets: chosen ones, those that it was given
 * before, or a block of its own.
 * @throws Error with a clause that says why it cannot have them
 */
export async function claimUsers(wanted: UsersWanted): Promise<UserRange> {
  const registry = openRegistry(wanted.registries ?? ['/var/lib/purveyor', '/run/purveyor']);
  const unlock = await lock(registry);
  try {
    const file = join(registry, 'users.json');
    const claims = readClaims(file).filter(isLiving);
    const offered = candidates(wanted, claims);
    const found = offered.find((range) => whyNotThese(wanted, range, claims) === undefined);
    if (!found) throw new Error(whyNotThese(wanted, offered.at(-1) ?? ownNumbers, claims));
    const { first, last } = found;
    const { directory } = wanted;
    const claim = { first, last, directory, place: placeOf(directory), given: wanted.range === undefined };
    const others = claims.filter((one) => one.directory !== directory || !isSame(one, claim));
    writePrivatelySync(file, JSON.stringify({ claims: [...others, claim] }));
    // Where the machine has forgotten, as containers do, the node asks for the same again.
    if (claim.given) writePrivatelySync(join(directory, memory), JSON.stringify({ first, last }));
    return { first, last };
  } finally {
    unlock();
  }
}

function openRegistry(places: readonly string[]): string {
  for (const place of places) {
    try {
      makeDirectory(place, 0o700);
      requireRootsOwn(place);
      return place;
    } catch {
      // The next one.
    }
  }
  throw new Error(`there is no place to keep who has which numbers, such as ${places[0]}`);
}

/** Whoever else could write there could give away what is somebody's. */
function requireRootsOwn(place: string): void {
  const { uid, mode } = lstatSync(place);
  if (uid !== process.getuid?.() || (mode & 0o22) !== 0) throw new Error(`${place} is not root's alone.`);
}

/** Brokers that start at the same moment take turns. */
async function lock(registry: string): Promise<() => void> {
  const take = () => {
    try {
      return lockDirectory(join(registry, 'lock'));
    } catch {
      return undefined;
    }
  };
  const unlock = await until(take, { first: 5, longest: 100, limit: 10_000 });
  if (!unlock) throw new Error(`${registry} is locked by another broker, or cannot be written`);
  return unlock;
}

function readClaims(file: string): readonly Claim[] {
  const claims = readJson(file)?.['claims'];
  return Array.isArray(claims) ? claims.filter(isClaim) : [];
}

function isClaim(value: unknown): value is Claim {
  if (!isRecord(value) || !isRange(value)) return false;
  return typeof value['directory'] === 'string' && typeof value['place'] === 'string';
}

function isRange(value: Readonly<Record<string, unknown>>): boolean {
  return typeof value['first'] === 'number' && typeof value['last'] === 'number';
}

function isLiving({ directory, place }: Claim): boolean {
  try {
    return placeOf(directory) === place;
  } catch {
    return false;
  }
}

function placeOf(directory: string): string {
  const { dev, ino } = statSync(directory);
  return `${dev}:${ino}`;
}

/** A clause; undefined when the node can have them. */
function whyNotThese(
  { directory, reserved }: UsersWanted,
  range: UserRange,
  claims: readonly Claim[],
): string | undefined {
  const other = claims.find((claim) => claim.directory !== directory && overlap(claim, range));
  if (other) return `the node in ${other.directory} has ${other.first}-${other.last}`;
  return whyNotUsers(range, reserved);
}

/** What it had before comes first: its directories may be somebody's of these numbers. */
function candidates({ directory, range }: UsersWanted, claims: readonly Claim[]): readonly UserRange[] {
  if (range) return [range];
  const had = claims.find((claim) => claim.given && claim.directory === directory);
  const before = [had, remembered(directory)].filter((one) => one !== undefined);
  return [...before, ...Array.from({ length: 20 }, drawBlock)];
}

function remembered(directory: string): UserRange | undefined {
  const { first, last } = readJson(join(directory, memory)) ?? {};
  const isBlock = typeof first === 'number' && first >= ownNumbers.first && last === first + blockSize - 1;
  return isBlock && last <= ownNumbers.last ? { first, last } : undefined;
}

/** By chance: nodes of one database on several machines then have different ones, too. */
function drawBlock(): UserRange {
  const blocks = (ownNumbers.last - ownNumbers.first + 1) / blockSize;
  const first = ownNumbers.first + randomInt(blocks) * blockSize;
  return { first, last: first + blockSize - 1 };
}

function isSame(a: UserRange, b: UserRange): boolean {
  return a.first === b.first && a.last === b.last;
}

function overlap(a: UserRange, b: UserRange): boolean {
  return a.first <= b.last && b.first <= a.last;
}
