import { randomUUID } from 'node:crypto';
import { type Broker, linkPurpose, type LinkClaim, type OwnedInstance } from '../../broker/broker.ts';
import type { Seals } from '../../broker/context.ts';
import { Refusal } from '../../broker/errors.ts';
import { defaultPlatform, platformOf } from '../../broker/key.ts';
import { eventsReply, wantsEvents } from '../events.ts';
import { assetsAt, routesOf } from '../pages/assets.ts';
import type { PageContent } from '../pages/content/parts.ts';
import { contentHtml, wholePage } from '../pages/write.ts';
import { BadCall, type Call, type DashboardPage, type Protocol, type Reply } from '../protocol.ts';
import { ownerPage } from './content/owner.ts';
import { notice } from './notice.ts';
import { createSessions, type Session } from './session.ts';
import { createPermissions, SignedOut } from './sso/permissions.ts';
import type { ProviderSettings } from './sso/provider.ts';
import { clientIn, createSignIn, goTo } from './sso/sign-in.ts';

export interface DashboardSettings {
  /** Those of provisioners that show what they make themselves. The first that knows the call gives the answer. */
  readonly pages: readonly DashboardPage[];
  readonly broker: Pick<Broker, 'dashboard' | 'owned' | 'listBackups' | 'overview'>;
  readonly seals: Seals;
  /** The broker's own address. */
  readonly url: () => string;
  /** Whose users sign in; absent: nobody does. */
  readonly platform?: ProviderSettings | undefined;
}

// Named as seen from the page, whose address may have a path before it that a proxy takes away.
const assets = assetsAt(
  (file) => `/dashboard/assets/${file}`,
  (file) => `assets/${file}`,
);
/** Backups that are shown. */
const backupsShown = 50;

/**
 * `/dashboard/<instance>`, which platforms are told before there is an instance. Who may see it signs in at the platform,
 * or has a link of an operator; others are told no more than that there is nothing to be seen.
 */
export function dashboards(settings: DashboardSettings): Protocol {
  const { broker, seals, url, pages, platform } = settings;
  const sessions = createSessions(seals, url);
  const sso = platform && {
    may: createPermissions(platform.cloudController),
    ...createSignIn({ ...platform, seals, url }),
  };

  async function open(call: Call): Promise<Reply> {
    const instanceId = call.params['instanceId'] ?? '';
    for (const page of pages) {
      const reply = await page(call);
      if (reply) return reply;
    }
    const owned = await broker.owned(instanceId);
    const link = call.query.get('link');
    if (link !== null) return (owned && enterBy(link, instanceId, owned)) ?? notice(404, nowhere);
    const session = owned && sessions.find(call, instanceId, owned);
    if (session && (await isLetIn(session))) return show(call, session);
    if (wantsEvents(call)) return notice(401, nowhere);
    const dashboard = await broker.dashboard(instanceId);
    if (typeof dashboard === 'object') return goTo(dashboard.address);
    // People wait for it with the page open.
    if (dashboard === 'not there') return notice(404, notYet, { refresh: '5' });
    const client = owned && clientOf(instanceId, owned);
    return sso && client ? sso.begin({ instanceId, key: owned.key }, client) : notice(404, nowhere);
  }

  /** The token does not stay in the address, where it would be remembered and shown to others. */
  function enterBy(link: string, instanceId: string, { key }: OwnedInstance): Reply | undefined {
    const text = seals.open(linkPurpose, link);
    const claim = text === undefined ? undefined : (JSON.parse(text) as LinkClaim);
    if (claim?.instanceId !== instanceId || claim.key !== key || claim.until <= Date.now()) return undefined;
    const { until } = claim;
    const cookie = sessions.open({ id: randomUUID(), instanceId, key, until });
    return cookie === undefined ? undefined : goTo(addressOf(instanceId), cookie);
  }

  /** False: the platform has ended its own sign-in, and another one may do. @throws BadCall for who may not see it */
  async function isLetIn({ token, ...session }: Session): Promise<boolean> {
    if (token === undefined) return true;
    if (!sso) return false;
    try {
      if (await sso.may({ ...session, token })) return true;
    } catch (error) {
      if (error instanceof SignedOut) return false;
      throw error;
    }
    throw new BadCall(403, mayNot);
  }

  async function show(call: Call, session: Session): Promise<Reply> {
    const { instanceId } = session;
    async function read(): Promise<PageContent> {
      const owned = await broker.owned(instanceId);
      if (owned?.key !== session.key || session.until <= Date.now()) throw new BadCall(404, nowhere.text);
      const query = { instanceId, limit: backupsShown };
      const [details, { backups }] = await Promise.all([
        broker.overview.instance(instanceId),
        broker.listBackups(query),
      ]);
      return ownerPage({ owned, details, backups });
    }
    if (!wantsEvents(call)) return wholePage({ assets, menu: [] }, await read());
    return eventsReply(call, async () => {
      if (!(await isLetIn(session))) throw new SignedOut();
      return { html: contentHtml(await read()), live: true };
    });
  }

  /** Of other platforms nobody knows the sign-in. */
  function clientOf(instanceId: string, { client }: OwnedInstance) {
    return platformOf(instanceId).platform === defaultPlatform ? clientIn(client) : undefined;
  }

  async function comeBack(call: Call): Promise<Reply> {
    if (!sso) return notice(404, nowhere);
    const begun = sso.begun(call);
    const { instanceId, key } = begun;
    const owned = await broker.owned(instanceId);
    const client = owned && clientOf(instanceId, owned);
    if (owned?.key !== key || !client) return notice(404, nowhere);
    const session = { id: randomUUID(), ...(await sso.end(call, begun, client)) };
    // Asked here, so that who is not let in is not sent round in a circle.
    if (!(await sso.may(session))) throw new BadCall(403, mayNot);
    const cookie = sessions.open(session);
    if (cookie === undefined) throw new BadCall(502, tooLarge);
    return goTo(addressOf(instanceId), cookie);
  }

  function addressOf(instanceId: string): string {
    return `${url()}/dashboard/${encodeURIComponent(instanceId)}`;
  }

  return {
    name: 'dashboard',
    open: true,
    refuse,
    routes: [
      { method: 'GET', path: '/dashboard', handler: comeBack },
      { method: 'GET', path: '/dashboard/:instanceId', handler: open },
      ...routesOf(assets),
    ],
  };
}

/** One answer for wrong tokens and unknown instances, so that the page tells nobody which ids exist. */
const nowhere = {
  title: 'There is no dashboard at this address',
  text: 'The instance may have been deleted, the address is not complete, or the link to it has expired. Your platform shows the whole address of an instance’s dashboard; where it does not sign you in there, ask its operator for a link.',
};

const notYet = {
  title: 'The dashboard is not there at the moment',
  text: 'The instance is being made, or is at rest. This page looks again by itself.',
};

const mayNot =
  'The platform has signed you in, and says that you may not see this service instance. Ask somebody who manages its space.';

const tooLarge = 'The sign-in of the platform is too large to be kept. Please tell the operator.';

function refuse(error: unknown): Reply {
  if (error instanceof BadCall) return trouble(error.status, error.message, error.headers);
  if (error instanceof Refusal && error.code === 'not-found') return notice(404, nowhere);
  if (error instanceof Refusal && error.code === 'unavailable') return trouble(503, error.message);
  return trouble(500, 'Something went wrong here. Please tell the operator.');
}

function trouble(status: number, text: string, headers?: Reply['headers']): Reply {
  return notice(status, { title: 'The dashboard cannot be shown', text }, headers);
}
