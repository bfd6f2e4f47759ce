import type { AuthorityOffice } from '../nodes.ts';
import type { UpgradeOffice } from './upgrades.ts';
import type { WebhookOffice } from './webhooks.ts';

/** What operators ask beside deeds with instances: each answers with promises, and knows its own books. */
export interface Offices {
  readonly authorities: AuthorityOffice;
  readonly upgrades: UpgradeOffice;
  readonly webhooks: WebhookOffice;
}
