import { parseObject } from '../../catalog/form/parse.ts';
import { type Finding, mistake, type Problem } from '../../catalog/problem.ts';
import { inFile } from '../../catalog/read-files.ts';
import { isObject } from '../../broker/json.ts';
import { defaultPlatform, isPlatformName } from '../../broker/key.ts';
import { positionIn } from '../../broker/template.ts';
import type { HashedLogin, Rate } from '../../protocols/protocol.ts';
import { certificateIn, type CertificateRule } from './certificate-rule.ts';
import { tokenIn, type TokenRule } from './token-rule.ts';
import { hashesIn, nameIn, rateIn, requireKeys } from './fields.ts';
import { isPassword, readPasswordHash } from './password-hash.ts';

export interface Principal extends HashedLogin {
  /** Tokens by which it logs in; absent: by none. */
  readonly token?: TokenRule | undefined;
  /** Certificates by which it logs in; absent: by none. */
  readonly certificate?: CertificateRule | undefined;
}

/** Whom a file names, beside those of the environment. */
export interface Principals {
  readonly platforms: readonly Principal[];
  readonly operators: readonly Principal[];
  /** How often each may ask, by what its requests are counted under. */
  readonly rates: ReadonlyMap<string, Rate>;
}

/** All logins of a platform are counted together. */
export function platformCounted(platform: string): string {
  return `platform ${platform}`;
}

export function operatorCounted(username: string): string {
  return `operator ${username}`;
}

/** Names that the environment has given already. */
export interface TakenNames {
  readonly platforms: readonly string[];
  readonly operators: readonly string[];
}

/** All that is wrong with the file is told at once; no sentence holds a value of it. */
export function readPrincipals(
  file: string,
  bytes: Uint8Array,
  taken: TakenNames,
): { readonly principals?: Principals; readonly problems: readonly Problem[] } {
  const { object, findings, locate } = parseObject(file, bytes, noLists);
  if (!object) return { problems: inFile(file, findings) };
  const found: Finding[] = [];
  requireKeys(object, '', ['platforms', 'operators'], found);
  const platforms = listIn(object, 'platforms', found, readPlatform);
  const operators = listIn(object, 'operators', found, readOperator);
  requireApart(platforms, 'platforms', taken.platforms, found);
  requireApart(operators, 'operators', taken.operators, found);
  requireOwnHashes([...platforms, ...operators], found);
  requireOneRate(platforms, found);
  if (found.length > 0) {
    const placed = found.map((one) => ({ ...locate?.(one.path), ...one }));
    return { problems: inFile(file, placed) };
  }
  return {
    principals: {
      platforms: platforms.map(principalOf),
      operators: operators.map(principalOf),
      rates: ratesOf([...platforms, ...operators]),
    },
    problems: [],
  };
}

const platformForm =
  'This must be 1 to 40 small letters, digits and dashes, the first no dash: it stands before the ids of instances.';

const noLists = 'The file must hold an object with the lists platforms and operators.';

/** A user of the file, with the place where it stands. */
interface Entry {
  readonly at: string;
  readonly username: string;
  readonly hashes: readonly string[];
  readonly readsOnly?: boolean;
  readonly platform?: string | undefined;
  readonly token?: TokenRule | undefined;
  readonly certificate?: CertificateRule | undefined;
  readonly counted: string;
  readonly rate?: Rate | undefined;
  /** May it have a name of the environment? */
  readonly shares?: boolean;
}

type Members = Readonly<Record<string, unknown>>;
type Reader = (value: Members, at: string, found: Finding[]) => Entry;

function listIn(object: Members, name: string, found: Finding[], read: Reader): readonly Entry[] {
  const list = object[name] ?? [];
  if (!Array.isArray(list)) {
    found.push(mistake(name, 'This must be a list.'));
    return [];
  }
  return list.flatMap((value: unknown, index) => {
    const at = positionIn(name, index);
    if (isObject(value)) return [read(value, at, found)];
    found.push(mistake(at, 'This must be an object.'));
    return [];
  });
}

function readPlatform(value: Members, at: string, found: Finding[]): Entry {
  requireKeys(value, at, ['name', 'username', 'passwords', 'jwt', 'certificate', 'rate'], found);
  const name = nameIn(value, at, 'name', found);
  if (name !== '' && !isPlatformName(name)) found.push(mistake(positionIn(at, 'name'), platformForm));
  const username = value['username'] === undefined ? name : nameIn(value, at, 'username', found);
  const platform = name === defaultPlatform ? undefined : name;
  return {
    at,
    username,
    hashes: hashesIn(value, at, found),
    platform,
    counted: platformCounted(name),
    token: tokenIn(value, at, found),
    certificate: certificateIn(value, at, found),
    rate: rateIn(value, at, found),
    shares: platform === undefined,
  };
}

function readOperator(value: Members, at: string, found: Finding[]): Entry {
  requireKeys(value, at, ['username', 'role', 'passwords', 'jwt', 'certificate', 'rate'], found);
  const { role } = value;
  if (role !== 'viewer' && role !== 'operator')
    found.push(mistake(positionIn(at, 'role'), 'This must be viewer or operator.'));
  const username = nameIn(value, at, 'username', found);
  return {
    at,
    username,
    hashes: hashesIn(value, at, found),
    counted: operatorCounted(username),
    token: tokenIn(value, at, found),
    certificate: certificateIn(value, at, found),
    rate: rateIn(value, at, found),
    readsOnly: role === 'viewer',
  };
}

/** Of whom a login is must not depend on its password. */
function requireApart(
  entries: readonly Entry[],
  list: string,
  taken: readonly string[],
  found: Finding[],
): void {
  const seen = new Set<string>();
  for (const { at, username, shares } of entries) {
    if (username === '') continue;
    if (!shares && taken.includes(username))
      found.push(mistake(at, 'Its username stands in the environment of the broker already.'));
    if (seen.has(username)) found.push(mistake(at, `Its username stands twice in ${list}.`));
    seen.add(username);
  }
}

/** What was copied from one to the other would let a platform do what operators may. */
function requireOwnHashes(entries: readonly Entry[], found: Finding[]): void {
  const seen = new Set<string>();
  for (const { at, hashes } of entries)
    for (const [index, hash] of hashes.entries()) {
      if (seen.has(hash))
        found.push(
          mistake(
            positionIn(positionIn(at, 'passwords'), index),
            'This hash stands twice: each needs a password of its own.',
          ),
        );
      seen.add(hash);
    }
}

function requireOneRate(platforms: readonly Entry[], found: Finding[]): void {
  const seen = new Set<string>();
  for (const { at, counted } of platforms.filter(({ rate }) => rate !== undefined)) {
    if (seen.has(counted))
      found.push(mistake(positionIn(at, 'rate'), 'A platform has one rate, for all its logins together.'));
    seen.add(counted);
  }
}

function ratesOf(entries: readonly Entry[]): ReadonlyMap<string, Rate> {
  return new Map(entries.flatMap(({ counted, rate }) => (rate ? [[counted, rate] as const] : [])));
}

function principalOf({ username, hashes, platform, readsOnly, token, certificate }: Entry): Principal {
  const known = hashes.flatMap((text) => readPasswordHash(text) ?? []);
  return {
    username,
    platform,
    readsOnly,
    token,
    certificate,
    passwords: known.map((hash) => (password) => isPassword(password, hash)),
  };
}
