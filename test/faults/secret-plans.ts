// The marked secrets, and plans whose errors say them.
import { randomBytes } from 'node:crypto';
import { canary } from './canary.ts';
import type { FaultPlan } from './offering.ts';

/** Secrets that go in, by what they are. */
export const given = {
  'the password of the broker': canary('password'),
  'the second password': canary('second'),
  'a wrong password': canary('wrong'),
  'a header that is no login': canary('header'),
  'the password of the database': canary('database'),
  'an encryption key': randomBytes(32).toString('base64'),
  'a part of a query that nobody reads': canary('query'),
  'a body that is no JSON': canary('malformed'),
  'a parameter that is refused': canary('refused'),
  'a parameter of a provision': canary('provision'),
  'a parameter of an update': canary('update'),
  'a parameter of an update that goes on': canary('ongoing'),
  'a parameter of a bind': canary('bind'),
  'a wrong token of an echo': canary('token'),
  'a parameter in the error of a provision': canary('thrown'),
  'a parameter in the sentence of a provision': canary('said-provision'),
  'a parameter in the sentence of an update': canary('said-update'),
  'a parameter in the sentence of a bind': canary('said-bind'),
  'a parameter in the sentence of an unbind': canary('said-unbind'),
  'a parameter in the sentence of an unbind that a deprovision needs': canary('said-left-over'),
  'a parameter in the sentence of a deprovision': canary('said-deprovision'),
};
export type Given = keyof typeof given;

/** In whose offering file it stands, so that the plan's definition has it. */
export const indiscreetPlans = new Set<string>(['a secret of what failed']);

/** What an error says, although it should not. */
function indiscreet(of: Given): string {
  indiscreetPlans.add(of);
  return `Cannot log in with ${given[of]} at https://user:${encodeURIComponent(given[of])}@there.`;
}

export const plans: readonly FaultPlan[] = [
  { id: 'own', with: { provision: { fails: 'Not yet.' } } },
  { id: 'ongoing', with: { update: { takes: '10m' } } },
  {
    id: 'throws',
    maximum_polling_duration: 1,
    with: { provision: { throws: indiscreet('a parameter in the error of a provision') } },
  },
  {
    id: 'says-provision',
    with: { provision: { fails: indiscreet('a parameter in the sentence of a provision') } },
  },
  { id: 'says-update', with: { update: { fails: indiscreet('a parameter in the sentence of an update') } } },
  { id: 'says-bind', with: { bind: { fails: indiscreet('a parameter in the sentence of a bind') } } },
  {
    id: 'says-unbind',
    with: { unbind: { fails: indiscreet('a parameter in the sentence of an unbind'), only_first: true } },
  },
  {
    id: 'says-left-over',
    with: {
      unbind: {
        fails: indiscreet('a parameter in the sentence of an unbind that a deprovision needs'),
        only_first: true,
      },
    },
  },
  {
    id: 'says-deprovision',
    with: {
      deprovision: { fails: indiscreet('a parameter in the sentence of a deprovision'), only_first: true },
    },
  },
];
export const offering = {
  parameters: { token: { type: 'string', default: '', maxLength: 200 } },
  secrets: { password: { per: 'binding', length: 24 }, master: { per: 'instance', length: 24 } },
  credentials: { password: '{{secrets.password}}', token: '{{params.token}}' },
  dashboard: 'https://example.com/?token={{secrets.master}}',
};
