/** What the market sees: the keys of an offering, in the order of the guide. */
export const marketMeanings: Readonly<Record<string, string>> = {
  id: 'For ever the same, best a GUID. At most 255 characters, unique in the catalog',
  name: 'What people type: letters, digits, periods, hyphens. At most 255 characters, unique in the catalog',
  description: 'One line for lists. At most 10000 characters, better 255',
  tags: 'Words by which applications find the service; together at most 2048 characters',
  requires:
    'What a platform must allow: bindings give a `syslog_drain_url`, `route_service_url` or `volume_mounts`',
  bindable: 'Can instances be bound?',
  instances_retrievable: 'May platforms fetch instances?',
  bindings_retrievable: 'May platforms fetch bindings? Needed for asynchronous binds',
  allow_context_updates: 'Does the service want to hear of renamed instances and the like?',
  plan_updateable: 'Can an instance change to another plan?',
  keeps_ids: 'Its ids are in use already: no advice that they should be GUIDs',
  metadata: 'Anything for display; the keys below have their conventional types, others are free',
  'metadata.displayName': 'The name as people read it',
  'metadata.imageUrl': 'An icon',
  'metadata.longDescription': 'More words',
  'metadata.providerDisplayName': 'Who offers it',
  'metadata.documentationUrl': 'Where it is explained',
  'metadata.supportUrl': 'Where help is',
  'metadata.shareable': 'May instances be shared between spaces of Cloud Foundry?',
  extensions: 'What a vendor adds to the service in the catalog, beside what the specification has',
  dashboard_client: 'For dashboards that let platform users in',
  'dashboard_client.id': "The client's id, unique in the catalog",
  'dashboard_client.secret': "The client's secret; a secret that platforms are given",
  'dashboard_client.redirect_uri': 'Where users come back to',
  plans: 'At least one',
};

/** Of one plan. */
export const planMeanings: Readonly<Record<string, string>> = {
  'plans[].id': "As the offering's; unique among all plans of the catalog",
  'plans[].name': "As the offering's; unique in the offering",
  'plans[].description': "As the offering's",
  'plans[].free': 'Does it cost nothing?',
  'plans[].bindable': "In place of the offering's",
  'plans[].plan_updateable': "In place of the offering's",
  'plans[].binding_rotatable': 'Can a binding be replaced by a successor while both work?',
  'plans[].maximum_polling_duration':
    'Seconds after which an operation has failed, for the platform and for the broker; less than 60 makes Cloud Foundry give up at its second look, 0 is as without it',
  'plans[].maintenance_info': 'The version of what instances are made of; JSON of at most 2000 characters',
  'plans[].maintenance_info.version': 'Raised when existing instances should be updated',
  'plans[].maintenance_info.description': 'What the update brings',
  'plans[].metadata': 'Anything for display, as for the offering',
  'plans[].metadata.displayName': 'The name as people read it',
  'plans[].metadata.bullets': 'Features, one line each',
  'plans[].metadata.costs': 'Prices',
  'plans[].metadata.costs[].amount': 'By currency: `{ eur: 9.5 }`',
  'plans[].metadata.costs[].unit': 'For how long or how much: MONTHLY',
  'plans[].extensions': 'What a vendor adds to the plan in the catalog',
  'plans[].with':
    'What the plan fixes, `{{plan.x}}` in templates. Every plan sets every `{{plan.x}}` in use; the provisioner may have rules too',
  'plans[].cost':
    'What an instance takes of the capacity of its node; only for provisioners that make things on nodes',
  'plans[].protected':
    'Are new instances [protected against deletion](operating.md#what-must-not-be-deleted)? From 36 hours after they were made on',
  'plans[].keep_deleted':
    'How long instances are kept when they are deleted, so that operators can [bring them back](operating.md#what-was-deleted-by-mistake)',
};
