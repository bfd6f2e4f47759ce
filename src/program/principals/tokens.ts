import { createHash } from 'node:crypto';
import type { JWTPayload } from 'jose';
import { BadCall, type TokenBearer, type TokenCheck } from '../../protocols/protocol.ts';
import type { TokenRule } from './token-rule.ts';

/** Who logs in by tokens. */
export interface TokenLogin {
  readonly username: string;
  readonly platform?: string | undefined;
  readonly readsOnly?: boolean | undefined;
  readonly rule: TokenRule;
}

/** Nobody who has but a public key can make one of these. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
const mostRemembered = 1000;
/** Milliseconds that a token counts without another look at the keys, if it does not expire before. */
const longestRemembered = 60_000;
/** Seconds that the clocks of issuer and broker may differ. */
const tolerance = 30;

/** Whom a token is of: the first in the list whose rule it meets. What was found is remembered for a while. */
export function checkTokens(
  logins: readonly TokenLogin[],
  keysOf: KeysOf,
  now: () => number = Date.now,
): TokenCheck {
  const known = new Map<string, { readonly bearer: TokenBearer; readonly until: number }>();

  async function find(token: string, mark: string): Promise<TokenBearer | undefined> {
    // Only who has such logins has the price of loading it.
    const jose = await import('jose');
    const { iss: issuer } = claimsOf(jose, token);
    for (const login of logins.filter(({ rule }) => rule.issuer === issuer)) {
      const claims = await verified(jose, token, login.rule, keysOf(jose, login.rule));
      if (!claims || !meets(claims, login.rule)) continue;
      const bearer = bearerOf(login, claims);
      remember(mark, bearer, (claims.exp ?? 0) * 1000);
      return bearer;
    }
    return undefined;
  }

  function remember(mark: string, bearer: TokenBearer, expires: number): void {
    known.set(mark, { bearer, until: Math.min(expires, now() + longestRemembered) });
    for (const oldest of known.keys()) {
      if (known.size <= mostRemembered) break;
      known.delete(oldest);
    }
  }

  return (token) => {
    const mark = createHash('sha256').update(token).digest('base64');
    const found = known.get(mark);
    if (found && now() < found.until) return found.bearer;
    known.delete(mark);
    return find(token, mark);
  };
}

type Jose = typeof import('jose');
type KeySet = ReturnType<Jose['createLocalJWKSet']> | ReturnType<Jose['createRemoteJWKSet']>;

/** The keys of a rule; rules with one address share what was fetched. */
export type KeysOf = (jose: Jose, rule: Pick<TokenRule, 'keys'>) => KeySet;

export function createKeySets(): KeysOf {
  const made = new Map<unknown, KeySet>();
  return (jose, { keys }) => {
    const isRemote = keys instanceof URL;
    const place = isRemote ? keys.href : keys;
    const found =
      made.get(place) ??
      (isRemote ? jose.createRemoteJWKSet(keys, { timeoutDuration: 5000 }) : jose.createLocalJWKSet(keys));
    made.set(place, found);
    return found;
  };
}

/** What it says, unproven. */
function claimsOf(jose: Jose, token: string): JWTPayload {
  try {
    return jose.decodeJwt(token);
  } catch {
    return {};
  }
}

/** Undefined when it is not what it says. */
async function verified(
  jose: Jose,
  token: string,
  { issuer, audience }: TokenRule,
  keys: KeySet,
): Promise<JWTPayload | undefined> {
  const wanted = { issuer, audience, algorithms, requiredClaims: ['exp'], clockTolerance: tolerance };
  try {
    return (await jose.jwtVerify(token, keys, wanted)).payload;
  } catch (error) {
    if (isOfToken(jose, error)) return undefined;
    const sentence = 'Nobody can tell now whether the token is good: the keys of its issuer cannot be had.';
    throw Object.assign(new BadCall(503, sentence, { 'Retry-After': '5' }), { cause: error });
  }
}

function isOfToken({ errors }: Jose, error: unknown): boolean {
  if (!(error instanceof errors.JOSEError)) return false;
  return !(
    error instanceof errors.JWKSTimeout ||
    error instanceof errors.JWKSInvalid ||
    error.code === 'ERR_JOSE_GENERIC'
  );
}

/** Scopes stand in one text, parted by blanks (RFC 8693, 4.2), or in a list. */
function meets(claims: JWTPayload, { claims: wanted }: TokenRule): boolean {
  return Object.entries(wanted).every(([name, value]) => {
    const said: unknown = claims[name];
    if (Array.isArray(said)) return said.includes(value);
    return (
      said === value || (name === 'scope' && typeof said === 'string' && said.split(' ').includes(value))
    );
  });
}

/** Where a rule is met by the tokens of several, it is told which one it was. */
function bearerOf({ username, platform, readsOnly, rule }: TokenLogin, { sub }: JWTPayload): TokenBearer {
  const isOne = Object.hasOwn(rule.claims, 'sub') || sub === undefined;
  const person = sub?.replaceAll(/\p{Cc}/gu, '').slice(0, 100);
  return { name: isOne ? username : `${username}:${person}`, platform, readsOnly };
}
