import { eventsReply } from '../events.ts';
import type { Call, Reply, Route } from '../protocol.ts';
import { assetsAt, routesOf } from './assets.ts';
import type { PageContent } from './content/parts.ts';
import { home, menu, pathTo } from './paths.ts';
import { contentHtml, wholePage } from './write.ts';

const assets = assetsAt((file) => pathTo(file));

export const assetRoutes: readonly Route[] = routesOf(assets);

export interface Shown {
  readonly status?: number;
  readonly headers?: Reply['headers'];
  /** What every form says; absent: the page has none. */
  readonly token?: string | undefined;
}

/** What is on the page, anew whenever it has changed. */
export function showEvents(call: Call, read: () => Promise<PageContent>): Promise<Reply> {
  return eventsReply(call, async () => {
    const content = await read();
    return { html: contentHtml(content), live: content.live ?? false };
  });
}

/** The whole page. */
export function show(
  call: Pick<Call, 'path'> & Partial<Pick<Call, 'principal'>>,
  content: PageContent,
  shown: Shown = {},
): Reply {
  const entries = menu.map(([page, name]) => ({
    name,
    href: pathTo(page),
    current: currentOf(pathTo(page), call.path),
  }));
  return wholePage({ assets, home, menu: entries, principal: call.principal }, content, shown);
}

/** One instance is looked at within instances. */
function currentOf(path: string, called: string): 'page' | 'true' | undefined {
  if (path === called) return 'page';
  return path === `${called}s` ? 'true' : undefined;
}
