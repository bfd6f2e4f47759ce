import { createHash } from 'node:crypto';
import type { JsonObject } from '../../../broker/json.ts';
import type { Seals } from '../../../broker/context.ts';
import { BadCall, type Call, type Reply } from '../../protocol.ts';
import { cookie, cookieIn, placeOf } from '../cookies.ts';
import { createProvider, type DashboardClient, type ProviderSettings } from './provider.ts';

/** What is known of a sign-in that has begun; it lies in the browser, sealed. */
interface Begun {
  readonly instanceId: string;
  readonly key: string;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly until: number;
}

export interface SignedIn extends Pick<Begun, 'instanceId' | 'key'> {
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

export interface SignIn {
  /** Where the sign-in of the platform leads back to. */
  readonly path: string;
  /** Sends a browser to the platform. @throws BadCall with a sentence when that cannot be */
  begin(of: Pick<Begun, 'instanceId' | 'key'>, client: DashboardClient): Promise<Reply>;
  /** Of which instance the sign-in is that a browser comes back with. @throws BadCall */
  begun(call: Call): Begun;
  /** @throws BadCall with a sentence when it is not good */
  end(call: Call, begun: Begun, client: DashboardClient): Promise<SignedIn>;
}

interface SignInSettings extends ProviderSettings {
  readonly seals: Seals;
  /** The broker's own address. */
  readonly url: () => string;
}

const path = '/dashboard';
const purpose = 'dashboard sign-in';
/** Milliseconds that somebody has for it, and that it counts at most. */
const [signInMs, longestMs] = [600_000, 8 * 3_600_000];
/** What platforms let clients of dashboards ask for. */
const scope = 'openid cloud_controller_service_permissions.read';

/** OpenID Connect by a code, with PKCE, state and nonce (RFC 6749, RFC 7636). */
export function createSignIn({ seals, url, ...settings }: SignInSettings): SignIn {
  const { load, as } = createProvider(settings);
  const place = () => placeOf(url(), path);

  return {
    path,
    async begin(of, client) {
      const redirect = redirectOf(client, `${url()}${path}`);
      const openid = await load();
      const config = await as(client).catch(rethrow);
      const begun = newSignIn(openid, of);
      const location = openid.buildAuthorizationUrl(config, {
        redirect_uri: redirect,
        scope,
        state: begun.state,
        nonce: begun.nonce,
        code_challenge: await openid.calculatePKCECodeChallenge(begun.verifier),
        code_challenge_method: 'S256',
      });
      const value = seals.seal(purpose, JSON.stringify(begun));
      return goTo(location.href, cookie(nameOf(begun.state), value, signInMs / 1000, place()));
    },
    begun(call) {
      const state = call.query.get('state') ?? '';
      const text = seals.open(purpose, cookieIn(call, nameOf(state)) ?? '');
      const begun = text === undefined ? undefined : (JSON.parse(text) as Begun);
      if (begun?.state === state && begun.until > Date.now()) return begun;
      throw new BadCall(400, otherBrowser);
    },
    async end(call, { instanceId, key, state, nonce, verifier }, client) {
      const config = await as(client).catch(rethrow);
      const { authorizationCodeGrant } = await load();
      const came = new URL(`${redirectOf(client, `${url()}${path}`)}?${call.query.toString()}`);
      const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce };
      const tokens = await authorizationCodeGrant(config, came, { ...checks, idTokenExpected: true }).catch(
        rethrow,
      );
      return {
        instanceId,
        key,
        token: tokens.access_token,
        until: Date.now() + Math.min(longestMs, 1000 * (tokens.expiresIn() ?? Infinity)),
      };
    },
  };
}

function newSignIn(openid: typeof import('openid-client'), of: Pick<Begun, 'instanceId' | 'key'>): Begun {
  return {
    ...of,
    state: openid.randomState(),
    nonce: openid.randomNonce(),
    verifier: openid.randomPKCECodeVerifier(),
    until: Date.now() + signInMs,
  };
}

/** Several may go on at once in one browser. */
function nameOf(state: string): string {
  return `purveyor_sign_in_${createHash('sha256').update(state).digest('hex').slice(0, 12)}`;
}

/** Undefined: it is not whole. */
export function clientIn(client: JsonObject | undefined): DashboardClient | undefined {
  const { id, secret, redirect_uri: redirectUri } = client ?? {};
  const isWhole = [id, secret, redirectUri].every((one) => typeof one === 'string' && one !== '');
  return isWhole ? ({ id, secret, redirectUri } as DashboardClient) : undefined;
}

/** Platforms take what stands in the catalog, or what lies below it. */
function redirectOf({ redirectUri }: DashboardClient, own: string): string {
  const known = redirectUri.replace(/\/$/, '');
  if (own === known || own.startsWith(`${known}/`)) return own === known ? redirectUri : own;
  throw new BadCall(500, 'The sign-in of this dashboard does not lead back here. Please tell the operator.');
}

export function goTo(location: string, ownCookie?: string): Reply {
  const headers = { location, 'Cache-Control': 'no-store', 'referrer-policy': 'no-referrer' };
  return {
    status: 302,
    headers: ownCookie === undefined ? headers : { ...headers, 'Set-Cookie': ownCookie },
  };
}

const otherBrowser =
  'This sign-in was begun in another browser, or too long ago. Open the address of the dashboard again.';

/** What went wrong, for people; what is behind it is for the log. */
function rethrow(error: unknown): never {
  if (error instanceof BadCall) throw error;
  const { name, code, cause } = error as { name?: string; code?: string; cause?: { name?: string } };
  if (name === 'AuthorizationResponseError')
    throw new BadCall(
      403,
      'The platform has not signed you in. Open the address of the dashboard again to try once more.',
    );
  const isAway =
    code === 'OAUTH_TIMEOUT' ||
    name === 'TimeoutError' ||
    name === 'TypeError' ||
    cause?.name === 'TypeError';
  const sentence = isAway
    ? 'The sign-in of the platform does not answer. Try again later.'
    : 'The sign-in of the platform has answered what this broker cannot accept. Try again, and tell the operator if it stays so.';
  throw Object.assign(new BadCall(isAway ? 503 : 502, sentence), { cause: error });
}
