import type { Making, SecretRule } from '../broker/catalog.ts';
import type { JsonObject } from '../broker/json.ts';
import { platformKinds } from '../broker/records.ts';
import { namedCredentials, secureAddress } from './credential-names.ts';
import { secondsOf } from './duration.ts';
import { mapValues } from './map-values.ts';
import type { ActionFile, OfferingFile, PerPlan, PlanView, SchemasFile } from './form/offering-file.ts';
import { storedOperating, type StoredOperating } from './operating.ts';
import { defaultsOf, schemasOf } from './form/shorthand.ts';

/**
 * All of a plan that decides how its instances are made and served, and nothing else: words for people may
 * change without making every instance out of date. It is stored, so later readers must understand it.
 */
export interface Definition {
  readonly offering: {
    readonly id: string;
    readonly name: string;
    readonly requires: readonly string[];
    readonly instancesRetrievable: boolean;
    readonly bindingsRetrievable: boolean;
    readonly allowContextUpdates: boolean;
  };
  readonly plan: {
    readonly id: string;
    readonly name: string;
    readonly bindable: boolean;
    readonly planUpdateable: boolean;
    readonly bindingRotatable: boolean;
    readonly maximumPollingDuration?: number;
    readonly maintenanceVersion?: string;
  };
  readonly schemas?: SchemasFile;
  readonly making: Making;
  readonly operating?: StoredOperating;
  /** Without their descriptions. */
  readonly actions?: Readonly<Record<string, Omit<ActionFile, 'description'>>>;
  /** What lies in the files of its hooks, as a hash. */
  readonly hookFiles?: string;
}

/** The definition of a plan, as plain JSON. */
export function definitionOf(offering: OfferingFile, view: PlanView, hookFiles?: string): JsonObject {
  const { plan, words, bindable } = view;
  const definition: Definition = {
    offering: {
      id: offering.id,
      name: offering.name,
      requires: [...new Set(offering.requires)],
      instancesRetrievable: offering.instances_retrievable ?? false,
      bindingsRetrievable: offering.bindings_retrievable ?? false,
      allowContextUpdates: offering.allow_context_updates ?? false,
    },
    plan: {
      id: plan.id,
      name: plan.name,
      bindable,
      planUpdateable: plan.plan_updateable ?? offering.plan_updateable ?? false,
      bindingRotatable: plan.binding_rotatable ?? false,
      // Cloud Controller takes 0 for none.
      maximumPollingDuration: plan.maximum_polling_duration || undefined,
      maintenanceVersion: plan.maintenance_info?.version,
    },
    schemas: schemasOf(words),
    making: makingOf(offering, view),
    operating: storedOperating(offering, plan.cost, words),
    actions:
      offering.actions && mapValues(offering.actions, ({ parameters, renews }) => ({ parameters, renews })),
    hookFiles,
  };
  // Members without a value are dropped here, as they would be in the store.
  return JSON.parse(JSON.stringify(definition)) as JsonObject;
}

function makingOf(
  { provisioner, config = {}, secrets = {} }: OfferingFile,
  { plan, words }: PlanView,
): Making {
  return {
    provisioner,
    config,
    settings: plan.with ?? {},
    defaults: defaultsOf(words),
    secrets: mapValues(secrets, ({ per = 'instance', length = 32 }): SecretRule => ({ per, length })),
    asyncRequired: words.async === 'required' ? platformKinds : (words.async ?? []),
    requiresApp: words.requires_app ?? false,
    answer: answerOf(words),
  };
}

function answerOf(words: PerPlan): Making['answer'] {
  const lifetime = words.binding_metadata;
  const addressOf = (text: string | undefined) =>
    words.tls && text !== undefined ? secureAddress(text) : text;
  return {
    dashboard: words.dashboard === false ? false : addressOf(words.dashboard),
    credentials: namedCredentials(words),
    syslogDrainUrl: addressOf(words.syslog_drain_url),
    routeServiceUrl: words.route_service_url,
    volumeMounts: words.volume_mounts,
    endpoints: words.endpoints,
    instanceMetadata: words.instance_metadata,
    bindingLifetime: lifetime && {
      expiresAfter: secondsOf(lifetime.expires_after),
      renewBefore: lifetime.renew_before === undefined ? undefined : secondsOf(lifetime.renew_before),
    },
  };
}
