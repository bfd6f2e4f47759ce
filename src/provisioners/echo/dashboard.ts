import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Eta } from 'eta';
import type { ServiceInstance } from '../../broker/records.ts';
import { pageReply } from '../../protocols/page.ts';
import type { Reply } from '../../protocols/protocol.ts';
import type { EchoFacts } from './facts.ts';
import type { Summary } from './messages.ts';

/** The page of one instance, for who has its dashboard_url. */
export function dashboardReply(instance: ServiceInstance, facts: EchoFacts, summary: Summary): Reply {
  const given = instance.context['instance_name'];
  const name = typeof given === 'string' ? given : undefined;
  return pageReply(200, {
    html: eta.render('./dashboard', { style, instance, name, facts, summary }),
    style,
  });
}

const views = join(import.meta.dirname, 'pages');
const eta = new Eta({ views, autoEscape: true, cache: true });
const style = readFileSync(join(views, 'style.css'), 'utf8');
