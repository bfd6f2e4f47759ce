import { jest } from '@jest/globals';
import { checkSmall, shortcomingsIn } from './small-check.ts';

/** Each fault that is planted in a broker is told by the case to which it belongs, and by no other one. */

jest.setTimeout(120_000);

interface Planted {
  /** Does everything take its time in this broker? */
  readonly slow: boolean;
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
      faults: {
        'early-404-binding': 'LOB-03 failed',
        'word-provision': 'PRV-02 failed',
      },
    },
  ],
];

test.each(brokers)(
  'A broker with faults %s has each told once, by the case it belongs to.',
  async (_name, { slow, faults }) => {
    const { report } = await checkSmall({ slow, faults: Object.keys(faults) });
    const reasons = report.cases.filter(({ verdict }) => verdict === 'failed' || verdict === 'warned');
    // The reasons are shown when it is not so.
    const why = reasons.map(({ id, reason }) => `${id}: ${reason}`);
    expect({ told: shortcomingsIn(report).toSorted(), why }).toEqual({
      told: Object.values(faults).toSorted(),
      why,
    });
  },
);
