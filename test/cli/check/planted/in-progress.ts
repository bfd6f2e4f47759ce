import type { PlantedBroker } from './planted-broker.ts';

/** Faults of brokers that take their time for everything. */
export const plantedInProgress: readonly PlantedBroker[] = [
  {
    name: 'of what is in progress',
    faults: {
      'any-accepts': 'PRV-03 failed',
      'word-bind': 'BND-02 failed',
      '202-update': 'UPD-11 failed',
      '202-unbind': 'UNB-06 failed',
      'takes-changes-while-busy': 'PRV-10 failed',
      'hints-needed-instance': 'LOP-06 failed',
      'usable-in-binding': 'LOB-01 failed',
      'date-retry-after': 'LOP-13 warned',
      'fetches-unready': 'FET-03 failed',
      'fetches-unready-binding': 'FEB-03 failed',
      'credentials-in-202': 'BND-29 failed',
      'new-name-update': 'UPD-12 failed',
      'delete-again-410': 'DEP-07 failed',
    },
  },
  {
    name: 'of polling',
    only: ['PRV', 'LOB'],
    faults: {
      'early-404-binding': 'LOB-03 failed',
      'word-provision': 'PRV-02 failed',
    },
  },
  {
    name: 'of requests at once that take their time',
    only: ['CON'],
    faults: { 'crowd-provision': 'CON-01 failed' },
  },
  {
    name: 'of what meets something in progress',
    faults: {
      'fetch-updating-404': 'FET-05 failed',
      'forgets-binding': 'LOB-04 warned',
      'gone-binding-404': 'LOB-05 warned',
      'bind-takes-changes': 'BND-08 failed',
      'binds-unready': 'BND-23 warned',
      'unbind-again-410': 'UNB-07 failed',
      'halts-unsaid': 'DEP-15 warned',
      'fetches-no-credentials': 'FEB-08 failed',
      '202-rotation': 'ROT-14 failed',
      'structured-accepts': 'STS-02 failed',
    },
  },
  {
    name: 'of updates in progress',
    only: ['UPD', 'DEP'],
    faults: {
      'poll-new-plan': 'UPD-20 failed',
      'update-busy-409': 'UPD-13 failed',
      'delete-updating-409': 'DEP-09 failed',
    },
  },
  {
    name: 'of a word that belongs to who does not wait',
    only: ['UPD', 'STS'],
    faults: { 'async-of-update': 'STS-03 failed' },
  },
  {
    name: 'of a binding that nobody can fetch',
    only: ['CAT-45', 'BND'],
    faults: { 'hides-bindings': 'CAT-45 failed' },
  },
  { name: 'of what is late', only: ['LOP'], faults: { 'fetch-late': 'LOP-05 failed' } },

  {
    name: 'of answers to who polls',
    only: ['LOP', 'LOB'],
    faults: {
      'odd-description-instance': 'LOP-01 failed',
      'lost-instance-410': 'LOP-02 failed',
      'forgets-instance': 'LOP-04 warned',
      'breaks-on-operation-instance': 'LOP-07 warned',
      'hints-break-instance': 'LOP-08 warned',
      'gone-instance-404': 'LOP-10 warned',
      'lost-binding-410': 'LOB-02 failed',
      'breaks-on-operation-binding': 'LOB-06 warned',
    },
  },
  {
    name: 'of an instance in the making that is not told',
    only: ['LOP-01', 'LOP-03', 'LOP-06'],
    faults: { 'early-404-instance': 'LOP-03 failed' },
  },
  {
    name: 'of a Retry-After that is none',
    only: ['LOP-12', 'LOP-13'],
    faults: { 'odd-retry-after': 'LOP-12 failed' },
  },
  {
    name: 'of operations that it does not know',
    only: ['LOP-01', 'LOP-03', 'LOP-04', 'LOP-06', 'LOP-14'],
    faults: { 'odd-operation-instance': 'LOP-14 failed' },
  },
  {
    name: 'of a deletion that never ends',
    only: ['LOP-11'],
    operationWithin: 2000,
    faults: { 'endless-delete': 'LOP-11 failed' },
  },
  {
    name: 'of what comes while something is in progress',
    only: ['PRV', 'BND', 'UPD', 'UNB', 'DEP'],
    faults: {
      'done-while-busy': 'PRV-09 failed',
      'no-word-bind-create': 'BND-24 failed',
      'no-word-update-create': 'UPD-14 failed',
      'no-word-bind-update': 'BND-25 failed',
      'bind-done-while-busy': 'BND-07 failed',
      'no-word-delete-create': 'DEP-08 failed',
      'no-word-unbind-create': 'UNB-08 failed',
      'no-word-update-delete': 'DEP-11 failed',
      '202-deprovision': 'DEP-06 failed',
    },
  },
];
