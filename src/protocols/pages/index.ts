/** Pages for operators: what the operator API tells and does, for people. They ask it, and reach nothing else. */
import { operatorRealm, type OperatorHandlers, requireMayChange } from '../operator/index.ts';
import { errorReply } from '../operator/errors.ts';
import { wantsEvents } from '../events.ts';
import type { Call, FurtherLogins, Login, Protocol, Reply, Route } from '../protocol.ts';
import { actionRoutes } from './act.ts';
import { type Ask, askFor } from './ask.ts';
import { auditPage } from './content/audit.ts';
import { authoritiesPage } from './content/authorities.ts';
import { catalogPage, quotasPage } from './content/catalog.ts';
import { instancePage } from './content/instance.ts';
import { bindingsPage, instancesPage, operationsPage } from './content/lists.ts';
import { nodesPage, orphansPage } from './content/nodes.ts';
import { operationPage } from './content/operation.ts';
import { type Count, overviewPage } from './content/overview.ts';
import type { PageContent } from './content/parts.ts';
import { upgradePage, upgradesPage } from './content/upgrades.ts';
import { pathTo } from './paths.ts';
import { assetRoutes, show, showEvents } from './show.ts';

export interface PagesSettings {
  readonly on: OperatorHandlers;
  readonly logins: readonly Login[];
  readonly further: FurtherLogins;
  readonly stock: Count;
  /** The broker's own address, as others know it. */
  readonly url: () => string;
}

type Page = (ask: Ask, call: Call) => Promise<PageContent>;

export function pages({ on, logins, further, stock, url }: PagesSettings): Protocol {
  const all: Readonly<Record<string, Page>> = {
    '': (ask) => overviewPage(ask, stock),
    instances: instancesPage,
    instance: instancePage,
    bindings: bindingsPage,
    operations: operationsPage,
    operation: operationPage,
    upgrades: upgradesPage,
    upgrade: upgradePage,
    nodes: nodesPage,
    orphans: orphansPage,
    catalog: (ask) => catalogPage(ask, stock),
    quotas: quotasPage,
    authorities: authoritiesPage,
    audit: auditPage,
  };
  return {
    name: 'pages',
    open: false,
    realm: operatorRealm(logins, further),
    routes: [
      ...Object.entries(all).map(([name, page]) => routeTo(name, page, on)),
      ...actionRoutes({ on, isSecure: () => url().startsWith('https:') }),
      ...assetRoutes,
    ],
    admit: requireMayChange,
    refuse,
  };
}

function routeTo(name: string, page: Page, on: OperatorHandlers): Route {
  return {
    method: 'GET',
    path: pathTo(name),
    async handler(call) {
      const read = async () => withTold(await page(askFor(on, call), call), call);
      return wantsEvents(call) ? showEvents(call, read) : show(call, await read());
    },
  };
}

/** After an action that has left nothing else to be looked at. */
function withTold(content: PageContent, { query }: Call): PageContent {
  if (query.get('told') !== 'done') return content;
  const told = { parts: [{ is: 'text', text: 'It is done.', tone: 'good' }] } as const;
  return { ...content, sections: [told, ...content.sections] };
}

/** As the operator API refuses it, for people. */
function refuse(error: unknown): Reply {
  const { status, headers, body } = errorReply(error);
  const content: PageContent = {
    title: titles[status] ?? 'This cannot be shown',
    sections: [{ parts: [{ is: 'text', text: body.description, tone: 'bad' }, detail(body.detail)] }],
  };
  return show({ path: '' }, content, { status, headers });
}

function detail(text: string | undefined): PageContent['sections'][number]['parts'][number] {
  return text === undefined ? undefined : { is: 'text', text };
}

const titles: Readonly<Record<number, string>> = {
  400: 'This cannot be asked',
  401: 'Operators log in here',
  403: 'This is not allowed',
  404: 'It is not there',
  409: 'This cannot be done now',
  503: 'The broker is not ready',
};
