import { createHash } from 'node:crypto';
import type { Catalog, ServiceOffering, ServicePlan } from '../../broker/catalog.ts';
import type { Call, Reply } from '../protocol.ts';

/** The catalog, or 304 when the platform has it already (RFC 9110, 13). Built once for each Catalog. */
export function catalogReply(catalog: Catalog, headers: Call['headers']): Reply {
  const answer = answers.get(catalog) ?? buildAnswer(catalog);
  answers.set(catalog, answer);
  return isKnown(answer, headers) ? answer.notModified : answer.full;
}

interface CatalogAnswer {
  readonly etag: string;
  readonly modified: Date;
  readonly full: Reply;
  readonly notModified: Reply;
}

const answers = new WeakMap<Catalog, CatalogAnswer>();

function buildAnswer({ offerings, loadedAt }: Catalog): CatalogAnswer {
  const bytes = Buffer.from(`{"services":[${offerings.map(textOf).join(',')}]}`);
  // Of the content alone, so that all brokers of one database give the same.
  const etag = `"${createHash('sha256').update(bytes).digest('base64url')}"`;
  // HTTP dates have no fractions of a second.
  const modified = new Date(Math.floor(loadedAt.getTime() / 1000) * 1000);
  const headers = { ETag: etag, 'Last-Modified': modified.toUTCString() };
  const body = { bytes, type: 'application/json' };
  return { etag, modified, full: { status: 200, headers, body }, notModified: { status: 304, headers } };
}

const texts = new WeakMap<ServiceOffering, string>();

/** Made once: of very many offerings few change at once. */
function textOf(offering: ServiceOffering): string {
  const text = texts.get(offering) ?? JSON.stringify(showOffering(offering));
  texts.set(offering, text);
  return text;
}

function showOffering(offering: ServiceOffering): object {
  return {
    ...offering.extensions,
    id: offering.id,
    name: offering.name,
    description: offering.description,
    tags: offering.tags,
    requires: offering.permissions,
    bindable: offering.bindable,
    instances_retrievable: offering.instancesRetrievable,
    bindings_retrievable: offering.bindingsRetrievable,
    allow_context_updates: offering.allowContextUpdates,
    plan_updateable: offering.planUpdateable,
    metadata: offering.metadata,
    dashboard_client: offering.dashboardClient,
    plans: offering.plans.map(showPlan),
  };
}

/** Flags are always written out: Korifi reads a missing one as false, whatever its default is. */
function showPlan(plan: ServicePlan): object {
  return {
    ...plan.extensions,
    id: plan.id,
    name: plan.name,
    description: plan.description,
    free: plan.free,
    bindable: plan.bindable,
    plan_updateable: plan.planUpdateable,
    binding_rotatable: plan.bindingRotatable,
    maximum_polling_duration: plan.maximumPollingDuration,
    maintenance_info: plan.maintenanceInfo,
    metadata: plan.metadata,
    schemas: plan.schemas,
  };
}

/** If-None-Match wins over If-Modified-Since; what cannot be read counts as absent. */
function isKnown({ etag, modified }: CatalogAnswer, headers: Call['headers']): boolean {
  const tags = headers['if-none-match'];
  if (tags !== undefined) return matchesTag(tags, etag);
  const since = headers['if-modified-since'];
  return since !== undefined && modified.getTime() <= readHttpDate(since);
}

/** Weak comparison: `W/` does not count. */
function matchesTag(tags: string, etag: string): boolean {
  return tags.trim() === '*' || [...tags.matchAll(/"[!#-~\x80-\xff]*"/g)].some(([tag]) => tag === etag);
}

/** NaN for anything but the one format that is written today; Date.parse alone would take nearly any text. */
function readHttpDate(text: string): number {
  const time = Date.parse(text);
  return !Number.isNaN(time) && new Date(time).toUTCString() === text.trim() ? time : Number.NaN;
}
