import { jest } from '@jest/globals';
import { checkSmall, shortcomingsIn } from './small-check.ts';

/** Each fault that is planted in a broker is told by the case to which it belongs, and by no other one. */

jest.setTimeout(600_000);

interface Planted {
  /** Does everything take its time in this broker? */
  readonly slow: boolean;
  /** The cases that are looked at; undefined: all. */
  readonly only?: readonly string[];
  /** By the words of the small broker's code; those of one broker do not hide each other. */
  readonly faults: Readonly<Record<string, string>>;
}

const brokers: readonly (readonly [name: string, planted: Planted])[] = [
  [
    'of headers, logins and provisioning',
    {
      slow: false,
      faults: {
        'no-version-412': 'HDR-01 failed',
        'version-403': 'HDR-02 failed',
        'breaks-on-version': 'HDR-03 failed',
        'exact-version': 'HDR-04 warned',
        'breaks-on-identity': 'HDR-08 failed',
        'any-password': 'AUT-02 failed',
        'breaks-on-scheme': 'AUT-03 failed',
        'no-challenge': 'AUT-06 warned',
        'telling-401': 'AUT-07 warned',
        'scheme-as-written': 'AUT-08 warned',
        'odd-labels': 'PRV-04 failed',
        'no-space_guid': 'PRV-11 failed',
        'unchecked-parameters': 'PRV-18 warned',
        'no-304': 'CAT-30 warned',
        'html-catalog': 'CTP-01 warned',
      },
    },
  ],
  [
    'of repetitions, members and removals',
    {
      slow: false,
      faults: {
        'any-space': 'PRV-08 failed',
        'new-dashboard': 'PRV-07 warned',
        'any-context': 'PRV-13.context warned',
        'strict-members': 'PRV-16 failed',
        'maintenance-word': 'PRV-20.conflict failed',
        'bind-repeat-409': 'BND-03 warned',
        'bind-any-parameters': 'BND-10 failed',
        'bind-any-plan': 'BND-12 warned',
        'bind-unchecked': 'BND-16 warned',
        'delete-any-service': 'DEP-04 warned',
        'unbind-any-service': 'UNB-04 warned',
        'fetches-other-parameters-of-instance': 'FET-07 warned',
      },
    },
  ],
  [
    'of bindings and updates',
    {
      slow: false,
      faults: {
        'version-before-login': 'AUT-05 failed',
        'bind-needs-app': 'BND-15 failed',
        'bind-strict': 'BND-17 failed',
        'bind-any-change': 'BND-06.parameters failed',
        'one-password': 'BND-19 warned',
        'odd-endpoints': 'BND-28 failed',
        'any-instance': 'URL-12 failed',
        'unbind-no-plan': 'UNB-03 failed',
        'delete-no-plan': 'DEP-03 failed',
        'update-no-service': 'UPD-02 failed',
        'update-any-plan-type': 'UPD-18 failed',
        'update-unchecked': 'UPD-17 warned',
        'update-any-maintenance': 'UPD-16 failed',
        'no-context-updates': 'UPD-09 failed',
      },
    },
  ],
  [
    'of what is in progress',
    {
      slow: true,
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
  ],
  [
    'of polling',
    {
      slow: true,
      only: ['PRV', 'LOB'],
      faults: {
        'early-404-binding': 'LOB-03 failed',
        'word-provision': 'PRV-02 failed',
      },
    },
  ],
  [
    'of ids that were used, and of members',
    {
      slow: false,
      faults: {
        'absent-breaks': 'PRV-08.absent-parameters failed',
        'context-breaks': 'PRV-08.context warned',
        'remembers-ids': 'PRV-24 warned',
        'previous-breaks': 'UPD-10 warned',
        'nothing-to-change': 'UPD-21 warned',
        'update-of-deleted': 'UPD-22 failed',
        'plan-only': 'UPD-25 warned',
        'odd-update-metadata': 'UPD-26 failed',
        'fetches-other-dashboard': 'FET-08 warned',
        'fetches-old-maintenance': 'FET-09 failed',
        'odd-delete-operation': 'DEP-14 failed',
        'unbind-body-400': 'UNB-09 warned',
        'refused-update-moves': 'ERR-07 failed',
        'breaks-after-unbind': 'LIF-01 failed',
        'unsure-binding': 'LOB-02.sync warned',
      },
    },
  ],
  [
    'of whose a binding is',
    {
      slow: false,
      faults: {
        'bind-again-any-plan': 'BND-06.plan warned',
        'bind-any-app': 'BND-06.app warned',
        'binds-what-it-refuses': 'BND-13 failed',
        'app-at-the-top': 'BND-15.app failed',
        'bind-number-app': 'BND-15.empty warned',
        'http-route': 'BND-22 warned',
        'id-tells-secrets': 'BND-26 warned',
        'unbinds-later': 'BND-27 warned',
        'fetches-other-parameters': 'FEB-05 warned',
        'breaks-on-hints': 'FEB-06 warned',
        'gone-instance-410': 'FEB-07 failed',
      },
    },
  ],
  [
    'of rotation',
    {
      slow: false,
      faults: {
        'rotated-200': 'ROT-01 failed',
        'rotation-needs-plan': 'ROT-02 warned',
        'unknown-predecessor': 'ROT-04 failed',
        'foreign-predecessor': 'ROT-05 failed',
        'removed-predecessor': 'ROT-06 failed',
        'own-predecessor': 'ROT-07 failed',
        'rotate-repeat-409': 'ROT-08 warned',
        'rotate-any-again': 'ROT-09 warned',
        'rotation-forgets': 'ROT-10 warned',
        'rotation-keeps-password': 'ROT-11 warned',
        'one-rotation': 'ROT-12 failed',
      },
    },
  ],
  [
    'of what is taken and what is told',
    {
      slow: false,
      faults: {
        'open-fetch': 'AUT-01 failed',
        'one-platform': 'HDR-07 failed',
        'silent-412': 'HDR-11 warned',
        'repeat-409': 'PRV-05 warned',
        'empty-ids': 'PRV-12 failed',
        'number-ids': 'PRV-13 failed',
        'null-breaks': 'PRV-13.null failed',
        'any-services-plan': 'PRV-14 failed',
        'unknown-plan-404': 'PRV-15 warned',
        'whole-maintenance': 'PRV-20.match failed',
        'one-dashboard': 'PRV-23 warned',
        'breaks-on-operation': 'LOP-07 warned',
        'no-credentials': 'BND-18 warned',
        'odd-metadata': 'FET-11 failed',
        'plan-change-lost': 'UPD-05 failed',
        'same-plan-refused': 'UPD-08 failed',
        'applies-what-it-refuses': 'UPD-15 failed',
        'update-strict': 'UPD-19 failed',
        'unbound-list': 'UNB-01 failed',
      },
    },
  ],
  [
    'of credentials and of what is not there',
    {
      slow: false,
      faults: {
        'bind-of-nothing': 'BND-11 failed',
        'odd-credentials': 'BND-28 failed',
      },
    },
  ],
  [
    'of requests at once',
    {
      slow: false,
      only: ['CON', 'ROT'],
      faults: {
        'crowd-parameters': 'CON-02 failed',
        'crowd-bind': 'CON-03 failed',
        'crowd-plans': 'CON-04 failed',
        'crowd-delete': 'CON-05 failed',
        'crowd-unbind': 'CON-06 failed',
        'crowd-bind-and-delete': 'CON-07 failed',
        'crowd-update': 'CON-08 failed',
        'crowd-provision-and-delete': 'CON-09 failed',
        'crowd-different': 'CON-10 warned',
        'crowd-rotation': 'CON-11 failed',
        'rotation-removes-old': 'ROT-03 failed',
      },
    },
  ],
  [
    'of requests at once that take their time',
    { slow: true, only: ['CON'], faults: { 'crowd-provision': 'CON-01 failed' } },
  ],
  [
    'of bodies, routes and ids',
    {
      slow: false,
      faults: {
        'type-breaks': 'BDY-05 failed',
        'type-415': 'BDY-04 warned',
        'reads-prototypes': 'BDY-08 failed',
        'is-polluted': 'BDY-09 warned',
        'huge-breaks': 'BDY-10 warned',
        'deep-breaks': 'BDY-11 warned',
        'chunked-411': 'BDY-12 warned',
        'encoding-breaks': 'BDY-13 warned',
        'query-breaks': 'BDY-14 warned',
        'answers-anything': 'RTE-01 warned',
        'silent-405': 'RTE-02 warned',
        'head-breaks': 'RTE-03 warned',
        'options-tell': 'RTE-04 warned',
        'traces-back': 'RTE-05 warned',
        'tells-nowhere': 'RTE-06 warned',
        'no-tildes': 'URL-01 failed',
        'no-spaces': 'URL-02 warned',
        'loses-slashes': 'URL-03 failed',
        'long-breaks': 'URL-04 warned',
        'nul-breaks': 'URL-05 warned',
        'proto-breaks': 'URL-06 failed',
        'bad-encoding-500': 'URL-07 warned',
        'empty-id': 'URL-08 failed',
        'words-refused': 'URL-09 warned',
        'dots-open': 'URL-10 warned',
        'any-case': 'URL-11 warned',
      },
    },
  ],
  [
    'of answers in which no case is interested',
    {
      slow: false,
      faults: {
        'number-error': 'ERR-01 failed',
        'two-words': 'ERR-02 warned',
        'usable-in-404': 'ERR-03 failed',
        'text-errors': 'ERR-04 warned',
        'silent-errors': 'ERR-05 warned',
        traces: 'ERR-06 warned',
        'html-errors': 'CTP-02 warned',
        'updated-201': 'STS-01 failed',
        'conflict-word': 'STS-04 failed',
        'empty-bind': 'CTP-03 failed',
        'breaks-on-kubernetes': 'GLB-01 warned',
        'keeps-elsewhere': 'ORP-03 failed',
        'null-dashboard': 'CCN-01 warned',
        'bind-of-nothing-422': 'CCN-02 warned',
      },
    },
  ],
  [
    'of what meets something in progress',
    {
      slow: true,
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
  ],
  [
    'of updates in progress',
    {
      slow: true,
      only: ['UPD', 'DEP'],
      faults: {
        'poll-new-plan': 'UPD-20 failed',
        'update-busy-409': 'UPD-13 failed',
        'delete-updating-409': 'DEP-09 failed',
      },
    },
  ],
  [
    'of a word that belongs to who does not wait',
    { slow: true, only: ['UPD', 'STS'], faults: { 'async-of-update': 'STS-03 failed' } },
  ],
  [
    'of a binding that nobody can fetch',
    { slow: true, only: ['CAT-45', 'BND'], faults: { 'hides-bindings': 'CAT-45 failed' } },
  ],
  ['of what is late', { slow: true, only: ['LOP'], faults: { 'fetch-late': 'LOP-05 failed' } }],
  [
    'of fetching what is not promised',
    { slow: false, only: ['FET'], faults: { 'breaks-hidden-fetch': 'FET-10 warned' } },
  ],
  [
    'of rotating what cannot be rotated',
    { slow: false, only: ['ROT'], faults: { 'breaks-on-rotation': 'ROT-13 warned' } },
  ],
  [
    'of bindings that are left',
    { slow: false, only: ['DEP'], faults: { 'breaks-with-bindings': 'DEP-10 warned' } },
  ],
  ['of a catalog that goes', { slow: false, only: ['GLB-00'], faults: { 'tired-catalog': 'GLB-00 failed' } }],
  ['of a slow catalog', { slow: false, only: ['GLB'], faults: { 'slow-catalog': 'GLB-03 warned' } }],
];

test.each(brokers)(
  'A broker with faults %s has each told once, by the case it belongs to.',
  async (_name, { slow, faults, only }) => {
    const { report } = await checkSmall({ slow, faults: Object.keys(faults) }, only);
    expect(report.stopped).toBeUndefined();
    const reasons = report.cases.filter(({ verdict }) => verdict === 'failed' || verdict === 'warned');
    // The reasons are shown when it is not so.
    const why = reasons.map(({ id, reason }) => `${id}: ${reason}`);
    expect({ told: shortcomingsIn(report).toSorted(), why }).toEqual({
      told: Object.values(faults).toSorted(),
      why,
    });
  },
);
