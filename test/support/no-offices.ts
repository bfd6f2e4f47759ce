import type { Offices } from '../../src/broker/offices/index.ts';

/** For what asks none of them. */
export const noOffices = { authorities: {}, upgrades: {}, webhooks: {} } as Offices;
