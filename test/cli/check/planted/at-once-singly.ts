import type { PlantedBroker } from './planted-broker.ts';

/** Faults of brokers that do everything at once, of which most are looked at by the cases beside them only. */
export const plantedSingly: readonly PlantedBroker[] = [
  {
    name: 'of a catalog as it is sent',
    only: ['catalog'],
    faults: {
      'new-ids': 'CAT-29 failed',
      'no-304-by-date': 'CAT-31 warned',
      'breaks-on-conditions': 'CAT-32 warned',
    },
  },
  {
    name: 'of identities, of logins and of new instances',
    faults: {
      'no-identity': 'HDR-05 warned',
      'no-identity-of-things': 'HDR-06 warned',
      'unknown-platform-403': 'HDR-09 warned',
      'heeds-override': 'HDR-10 warned',
      'makes-without-login': 'AUT-04 failed',
      'tires-of-logins': 'AUT-09 warned',
      'created-200': 'PRV-01 failed',
      'known-contexts': 'PRV-17 failed',
      'makes-what-it-refuses': 'PRV-19 failed',
      'late-dashboard': 'PRV-22 failed',
      'hints-break-instance': 'LOP-08 warned',
      'unsure-instance': 'LOP-09 warned',
    },
  },
  {
    name: 'of repeated provisions, and other ways to be wrong',
    only: ['PRV', 'DEP'],
    faults: {
      'repeat-breaks': 'PRV-06 failed',
      'no-plan_id': 'PRV-11 failed',
      'parameters-422': 'PRV-18 warned',
      'relative-dashboard': 'PRV-23 warned',
      'deletes-before-it-looks': 'DEP-03 failed',
    },
  },
  {
    name: 'of new bindings',
    only: ['BND'],
    faults: {
      'bound-200': 'BND-01 failed',
      'bind-repeat-breaks': 'BND-04 failed',
      'bind-no-plan': 'BND-09 failed',
      'bind-empty-app-breaks': 'BND-15.empty warned',
      'odd-times': 'BND-28 failed',
    },
  },
  {
    name: 'of what repetitions tell, and of drains that are not asked for',
    only: ['BND'],
    faults: { 'repeat-new-password': 'BND-05 warned', 'unasked-drain': 'BND-28 failed' },
  },
  {
    name: 'of what a service requires',
    only: ['BND'],
    spoil: ({ services: [service] }) =>
      Object.assign(service as object, { requires: ['syslog_drain', 'volume_mount', 'route_forwarding'] }),
    faults: {
      // It gives neither of these.
      'requires-drain': 'BND-20 failed',
      'requires-mount': 'BND-21 failed',
      'http-route': 'BND-22 warned',
    },
  },
  {
    name: 'of what the plan does not know',
    only: ['PRV', 'BND', 'UPD'],
    spoil({ services: [service] }) {
      Object.assign(service as object, { bindable: false, plan_updateable: false });
      delete service?.plans[0]?.['maintenance_info'];
    },
    faults: {
      'binds-anything': 'BND-14 warned',
      'updates-fixed': 'UPD-07 failed',
      'maintenance-breaks': 'PRV-20.none warned',
    },
  },
  {
    name: 'of fetching',
    only: ['FET', 'FEB'],
    faults: {
      'fetches-other-service': 'FET-01 failed',
      'never-410': 'FET-02 failed',
      'deleted-410': 'FET-04 failed',
      'fetch-breaks-on-hints': 'FET-06 warned',
      'binding-of-nothing-410': 'FEB-02 failed',
      'removed-binding-410': 'FEB-04 failed',
    },
  },
  {
    name: 'of bindings that it does not show',
    only: ['FEB'],
    faults: { 'hides-every-binding': 'FEB-01 failed' },
  },
  {
    name: 'of updates and removals',
    only: ['UPD', 'UNB', 'DEP'],
    faults: {
      'updated-list': 'UPD-01 failed',
      'update-any-plan': 'UPD-03 failed',
      'update-of-nothing': 'UPD-04 failed',
      'update-forgets-plan': 'UPD-06 failed',
      'unbind-404': 'UNB-02 failed',
      'odd-unbind-breaks': 'UNB-05 warned',
      'deleted-list': 'DEP-01 failed',
      'delete-404': 'DEP-02 failed',
      'odd-delete-breaks': 'DEP-05 warned',
      'delete-body-breaks': 'DEP-12 warned',
    },
  },
  {
    name: 'of deletions that do nothing',
    only: ['CON-05'],
    faults: { 'never-deletes': 'CON-05 failed' },
  },
  {
    name: 'of bodies that are none',
    only: ['BDY'],
    faults: {
      'malformed-422': 'BDY-01 failed',
      'empty-422': 'BDY-02 failed',
      'list-422': 'BDY-03 failed',
      'type-as-written': 'BDY-06 failed',
      'odd-json-breaks': 'BDY-07 warned',
    },
  },
];
