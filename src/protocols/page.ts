import { createHash } from 'node:crypto';
import type { Reply } from './protocol.ts';

/**
 * A page for people. It may show what strangers have sent, so it may load, run, submit and be framed by nothing.
 * @param style the whole of its one style element
 */
export function pageReply(
  status: number,
  { html, style }: { readonly html: string; readonly style: string },
  headers: Reply['headers'] = {},
): Reply {
  return {
    status,
    headers: { ...securityHeaders, 'content-security-policy': policyFor(style), ...headers },
    body: { bytes: Buffer.from(html), type: 'text/html; charset=utf-8' },
  };
}

function policyFor(style: string): string {
  const hash = createHash('sha256').update(style).digest('base64');
  return [
    "default-src 'none'",
    `style-src 'sha256-${hash}'`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** Of whatever people see that may hold what strangers have sent. */
export const securityHeaders = {
  'x-frame-options': 'DENY',
  // The address may hold a token.
  'referrer-policy': 'no-referrer',
  // As the mount spells it, so that there is one.
  'Cache-Control': 'no-store',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};
