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
    'of headers and logins',
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
