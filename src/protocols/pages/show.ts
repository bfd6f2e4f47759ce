import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Eta } from 'eta';
import { eventsReply } from '../events.ts';
import { securityHeaders } from '../page.ts';
import type { Call, Reply, Route } from '../protocol.ts';
import type { PageContent } from './content/parts.ts';
import { home, menu, pathTo } from './paths.ts';

const views = join(import.meta.dirname, 'views');
const eta = new Eta({ views, autoEscape: true, cache: true });

interface Asset {
  readonly path: string;
  readonly integrity: string;
  readonly route: Route;
}

/** Its name changes with its content, so browsers may keep it for ever. */
function asset(file: string, type: string): Asset {
  const bytes = readFileSync(join(views, file));
  const hash = createHash('sha256').update(bytes);
  const integrity = `sha256-${hash.copy().digest('base64')}`;
  const [name, ending] = file.split('.');
  const path = pathTo(`${name}-${hash.digest('hex').slice(0, 16)}.${ending}`);
  const headers = {
    ...securityHeaders,
    'Cache-Control': 'private, max-age=31536000, immutable',
    'content-security-policy': "default-src 'none'",
  };
  const reply = { status: 200, headers, body: { bytes, type } };
  return { path, integrity, route: { method: 'GET', path, handler: () => reply } };
}

const style = asset('style.css', 'text/css; charset=utf-8');
const script = asset('script.js', 'text/javascript; charset=utf-8');
const icon = asset('icon.svg', 'image/svg+xml');

export const assetRoutes: readonly Route[] = [style, script, icon].map(({ route }) => route);

const policy = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

export interface Shown {
  readonly status?: number;
  readonly headers?: Reply['headers'] | undefined;
  /** What every form says; absent: the page has none. */
  readonly token?: string | undefined;
}

/** What is on the page, anew whenever it has changed. */
export function showEvents(call: Call, read: () => Promise<PageContent>): Promise<Reply> {
  return eventsReply(call, async () => {
    const content = await read();
    return { html: eta.render('./main', content), live: content.live ?? false };
  });
}

/** The whole page. */
export function show(
  call: Pick<Call, 'path'> & Partial<Pick<Call, 'principal'>>,
  content: PageContent,
  { status = 200, headers, token }: Shown = {},
): Reply {
  const main = eta.render('./main', { ...content, token });
  const html = eta.render('./layout', {
    ...content,
    main,
    style,
    script,
    icon,
    principal: call.principal,
    menu: menu.map(([page, name]) => ({
      name,
      href: pathTo(page),
      current: currentOf(pathTo(page), call.path),
    })),
    home,
  });
  return {
    status,
    headers: { ...securityHeaders, 'content-security-policy': policy, ...headers },
    body: { bytes: Buffer.from(html), type: 'text/html; charset=utf-8' },
  };
}

/** One instance is looked at within instances. */
function currentOf(path: string, called: string): 'page' | 'true' | undefined {
  if (path === called) return 'page';
  return path === `${called}s` ? 'true' : undefined;
}
