import type { Configuration, ServerMetadata } from 'openid-client';
import { isLoopback } from '../../../config/loopback.ts';

/** The client of an offering, as its file has it and platforms make it known to their sign-in. */
export interface DashboardClient {
  readonly id: string;
  readonly secret: string;
  readonly redirectUri: string;
}

export interface ProviderSettings {
  readonly cloudController: string;
  /** Absent: what Cloud Controller names. */
  readonly issuer?: string | undefined;
}

type OpenId = typeof import('openid-client');

/** Seconds for each question. */
export const askSeconds = 10;
/** Seconds that the clocks of platform and broker may differ. */
const tolerance = 60;
/** Milliseconds that is remembered what the platform says of its sign-in. */
const remembered = 600_000;

/**
 * The platform's sign-in as one client sees it. Its keys are fetched for each sign-in, so one that it has changed a
 * moment ago is no trouble.
 */
export function createProvider(settings: ProviderSettings): {
  readonly load: () => Promise<OpenId>;
  readonly as: (client: DashboardClient) => Promise<Configuration>;
} {
  let known: { readonly metadata: ServerMetadata; readonly at: number } | undefined;
  // Only brokers with a sign-in have the price of loading it.
  const load = () => import('openid-client');

  async function metadataOf(openid: OpenId): Promise<ServerMetadata> {
    if (known && performance.now() - known.at < remembered) return known.metadata;
    const address = new URL(
      `${settings.issuer ?? (await issuerOf(settings))}/.well-known/openid-configuration`,
    );
    const found = await openid.discovery(address, 'unused', undefined, openid.None(), {
      timeout: askSeconds,
      execute: isPlain(address) ? [openid.allowInsecureRequests] : [],
    });
    const metadata = JSON.parse(JSON.stringify(found.serverMetadata())) as ServerMetadata;
    known = { metadata, at: performance.now() };
    return metadata;
  }

  async function as({ id, secret }: DashboardClient): Promise<Configuration> {
    const openid = await load();
    const metadata = structuredClone(await metadataOf(openid));
    const more = { [openid.clockTolerance]: tolerance };
    const config = new openid.Configuration(metadata, id, more, openid.ClientSecretPost(secret));
    config.timeout = askSeconds;
    openid.enableNonRepudiationChecks(config);
    if (isPlain(new URL(metadata.issuer))) openid.allowInsecureRequests(config);
    return config;
  }
  return { load, as };
}

/** Where Cloud Controller says that its users sign in. */
async function issuerOf({ cloudController }: ProviderSettings): Promise<string> {
  const answer = await fetch(`${cloudController}/`, {
    headers: { accept: 'application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(askSeconds * 1000),
  });
  const { links } = (await answer.json()) as {
    readonly links?: Readonly<Record<string, { href?: unknown }>>;
  };
  const href = links?.['uaa']?.href ?? links?.['login']?.href;
  if (typeof href !== 'string') throw new Error('Cloud Controller does not say where its users sign in.');
  return href.replace(/\/$/, '');
}

/** Without TLS only on this machine itself, as a trial is. */
function isPlain({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && isLoopback(hostname.replace(/^\[|\]$/g, ''));
}
