import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Eta } from 'eta';
import type { ServiceInstance } from '../../broker/records.ts';
import type { Reply } from '../../protocols/protocol.ts';
import type { EchoFacts } from './facts.ts';
import type { Summary } from './messages.ts';

/** The page of one instance, for who has its dashboard_url. */
export function dashboardReply(instance: ServiceInstance, facts: EchoFacts, summary: Summary): Reply {
  const given = instance.context['instance_name'];
  const name = typeof given === 'string' ? given : undefined;
  return pageReply(200, 'dashboard', { instance, name, facts, summary });
}

/** One answer for wrong tokens and unknown instances, so that the page tells nobody which ids exist. */
export function noDashboardReply(): Reply {
  return pageReply(404, 'no-dashboard', {});
}

const views = join(import.meta.dirname, 'pages');
const eta = new Eta({ views, autoEscape: true, cache: true });
const style = readFileSync(join(views, 'style.css'), 'utf8');
const styleHash = createHash('sha256').update(style).digest('base64');

function pageReply(status: number, page: string, values: object): Reply {
  const html = eta.render(`./${page}`, { style, ...values });
  return {
    status,
    headers: securityHeaders,
    body: { bytes: Buffer.from(html), type: 'text/html; charset=utf-8' },
  };
}

/** The page shows what strangers may have sent, so it may load, run, submit and be framed by nothing. */
const securityHeaders = {
  'content-security-policy': [
    "default-src 'none'",
    `style-src 'sha256-${styleHash}'`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  // The address holds the token.
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};
