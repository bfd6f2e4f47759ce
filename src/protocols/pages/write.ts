// Values become HTML here: whoever shows pages gives what is on them, and all of it is escaped.
import { Eta } from 'eta';
import { securityHeaders } from '../page.ts';
import type { Reply } from '../protocol.ts';
import { type Assets, views } from './assets.ts';
import type { PageContent } from './content/parts.ts';

const eta = new Eta({ views, autoEscape: true, cache: true });

/** May load what is the broker's own, and nothing else. */
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

/** What stands around the content. */
export interface Frame {
  readonly assets: Assets;
  /** Where the name of the program leads; absent: nowhere. */
  readonly home?: string | undefined;
  readonly menu: readonly {
    readonly name: string;
    readonly href: string;
    readonly current?: 'page' | 'true' | undefined;
  }[];
  /** Who has logged in. */
  readonly principal?: string | undefined;
}

/** What is on the page, without what stands around it. @param token what every form says */
export function contentHtml(content: PageContent, token?: string): string {
  return eta.render('./main', { ...content, token });
}

export function wholePage(
  frame: Frame,
  content: PageContent,
  { status = 200, headers, token }: { readonly token?: string | undefined } & Partial<Reply> = {},
): Reply {
  const main = contentHtml(content, token);
  const html = eta.render('./layout', { ...content, ...frame, main });
  return {
    status,
    headers: { ...securityHeaders, 'content-security-policy': policy, ...headers },
    body: { bytes: Buffer.from(html), type: 'text/html; charset=utf-8' },
  };
}
