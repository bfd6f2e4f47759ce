// The offering of these tests: things of the provisioner `faulty` which take the time that a fault needs to strike.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../src/broker/json.ts';

export const kinds = ['provision', 'update', 'deprovision', 'bind', 'unbind'] as const;
export type Kind = (typeof kinds)[number];

export const offeringId = 'faults';
export const quick = 'quick';

/** A plan in whose operations of one kind something happens; all others are done at once. */
export interface FaultPlan {
  readonly id: string;
  readonly with: JsonObject;
  readonly [word: string]: unknown;
}

/**
 * Writes the offering file and gives the directory, for CATALOG_DIR.
 * @param more members of the offering, over those that it has anyway
 */
export function writeOffering(scratch: string, plans: readonly FaultPlan[], more: JsonObject = {}): string {
  const directory = join(scratch, 'offerings');
  mkdirSync(directory, { recursive: true });
  const all = [{ id: quick }, ...plans].map((plan) => ({ name: plan.id, description: plan.id, ...plan }));
  writeFileSync(join(directory, 'faults.json'), JSON.stringify({ ...offering, ...more, plans: all }));
  return directory;
}

const offering = {
  id: offeringId,
  name: 'faults',
  description: 'Things that take the time that a fault needs',
  instances_retrievable: true,
  bindings_retrievable: true,
  plan_updateable: true,
  provisioner: 'faulty',
  parameters: { size: { type: 'integer', minimum: 1, maximum: 10, default: 1 } },
  secrets: { password: { per: 'binding', length: 24 } },
  credentials: { name: '{{thing.name}}', password: '{{secrets.password}}' },
};
