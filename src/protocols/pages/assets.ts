import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { securityHeaders } from '../page.ts';
import type { Route } from '../protocol.ts';

/** Where the templates of pages and what they load lie. */
export const views = join(import.meta.dirname, 'views');

interface Asset {
  /** As pages name it. */
  readonly href: string;
  readonly integrity: string;
  readonly route: Route;
}

export interface Assets {
  readonly style: Asset;
  readonly script: Asset;
  readonly icon: Asset;
}

/** What every page loads. @param pathOf where it is served @param hrefOf as pages name it, where that differs */
export function assetsAt(pathOf: (file: string) => string, hrefOf = pathOf): Assets {
  /** Its name changes with its content, so browsers may keep it for ever. */
  function asset(file: string, type: string): Asset {
    const bytes = readFileSync(join(views, file));
    const hash = createHash('sha256').update(bytes);
    const integrity = `sha256-${hash.copy().digest('base64')}`;
    const [base, ending] = file.split('.');
    const name = `${base}-${hash.digest('hex').slice(0, 16)}.${ending}`;
    const headers = {
      ...securityHeaders,
      'Cache-Control': 'private, max-age=31536000, immutable',
      'content-security-policy': "default-src 'none'",
    };
    const reply = { status: 200, headers, body: { bytes, type } };
    return {
      href: hrefOf(name),
      integrity,
      route: { method: 'GET', path: pathOf(name), handler: () => reply },
    };
  }
  return {
    style: asset('style.css', 'text/css; charset=utf-8'),
    script: asset('script.js', 'text/javascript; charset=utf-8'),
    icon: asset('icon.svg', 'image/svg+xml'),
  };
}

export function routesOf({ style, script, icon }: Assets): readonly Route[] {
  return [style, script, icon].map(({ route }) => route);
}
