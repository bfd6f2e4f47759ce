import { parseObject } from '../../catalog/form/parse.ts';
import { didYouMean } from '../../catalog/form/did-you-mean.ts';
import { type Finding, mistake, type Problem } from '../../catalog/problem.ts';
import { inFile } from '../../catalog/read-files.ts';
import { isObject } from '../../broker/json.ts';
import { defaultPlatform, isPlatformName } from '../../broker/key.ts';
import { positionIn } from '../../broker/template.ts';
import type { HashedLogin } from '../../protocols/protocol.ts';
import { isPassword, readPasswordHash } from './password-hash.ts';

/** Whom a file names, beside those of the environment. */
export interface Principals {
  readonly platforms: readonly HashedLogin[];
  readonly operators: readonly HashedLogin[];
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
  if (found.length > 0) {
    const placed = found.map((one) => ({ ...locate?.(one.path), ...one }));
    return { problems: inFile(file, placed) };
  }
  return {
    principals: { platforms: platforms.map(accountOf), operators: operators.map(accountOf) },
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
  requireKeys(value, at, ['name', 'username', 'passwords'], found);
  const name = readName(value, at, 'name', found);
  if (name !== '' && !isPlatformName(name)) found.push(mistake(positionIn(at, 'name'), platformForm));
  const username = value['username'] === undefined ? name : readName(value, at, 'username', found);
  const platform = name === defaultPlatform ? undefined : name;
  return { at, username, hashes: readHashes(value, at, found), platform, shares: platform === undefined };
}

function readOperator(value: Members, at: string, found: Finding[]): Entry {
  requireKeys(value, at, ['username', 'role', 'passwords'], found);
  const { role } = value;
  if (role !== 'viewer' && role !== 'operator')
    found.push(mistake(positionIn(at, 'role'), 'This must be viewer or operator.'));
  return {
    at,
    username: readName(value, at, 'username', found),
    hashes: readHashes(value, at, found),
    readsOnly: role === 'viewer',
  };
}

/** Basic authentication cannot carry a name with a colon (RFC 7617, section 2). */
function readName(value: Members, at: string, name: string, found: Finding[]): string {
  const text = value[name];
  if (typeof text === 'string' && /^[^:\p{Cc}]{1,100}$/u.test(text)) return text;
  const reason = 'This must be a text of 1 to 100 characters without a colon and without control characters.';
  found.push(mistake(positionIn(at, name), reason));
  return '';
}

function readHashes(value: Members, at: string, found: Finding[]): readonly string[] {
  const place = positionIn(at, 'passwords');
  const list = value['passwords'];
  if (!Array.isArray(list) || list.length < 1 || list.length > 2) {
    found.push(
      mistake(place, 'This must be a list of one or two hashes, as purveyor hash-password prints them.'),
    );
    return [];
  }
  return list.flatMap((text: unknown, index) => {
    if (typeof text === 'string' && readPasswordHash(text)) return [text];
    found.push(mistake(positionIn(place, index), 'This is no hash that purveyor hash-password prints.'));
    return [];
  });
}

function requireKeys(value: Members, at: string, known: readonly string[], found: Finding[]): void {
  for (const key of Object.keys(value).filter((one) => !known.includes(one)))
    found.push(mistake(positionIn(at, key), `There is no such key here.${didYouMean(key, known)}`));
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

function accountOf({ username, hashes, platform, readsOnly }: Entry): HashedLogin {
  const known = hashes.flatMap((text) => readPasswordHash(text) ?? []);
  return {
    username,
    platform,
    readsOnly,
    passwords: known.map((hash) => (password) => isPassword(password, hash)),
  };
}
