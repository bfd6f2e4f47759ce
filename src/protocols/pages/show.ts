import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Eta } from 'eta';
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

/** The whole page; or what is on it, as an event for a page that is open, when it has changed since the last one. */
export function show(
  call: Pick<Call, 'path' | 'headers'> & Partial<Pick<Call, 'principal'>>,
  content: PageContent,
  { status = 200, headers, token }: Shown = {},
): Reply {
  const main = eta.render('./main', { ...content, token });
  if (call.headers['accept'] === 'text/event-stream') return event(main, call.headers['last-event-id']);
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

/** Milliseconds after which a page that is open looks again. */
const looksAgain = 3000;

/** A stream of one event: the browser asks for the next one by itself, and no connection stays open meanwhile. */
function event(main: string, last: string | undefined): Reply {
  const id = createHash('sha256').update(main).digest('base64url');
  const data = last === id ? '' : `id: ${id}\ndata: ${JSON.stringify(main)}\n\n`;
  return {
    status: 200,
    headers: securityHeaders,
    body: { bytes: Buffer.from(`retry: ${looksAgain}\n\n${data}`), type: 'text/event-stream; charset=utf-8' },
  };
}
