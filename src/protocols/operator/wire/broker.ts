// What is of no instance: nodes, offerings, orphans, and what refuses a request.
import { quotaScopes } from '../../../broker/policies.ts';
import {
  amount,
  list,
  maybe,
  named,
  object,
  text,
  time,
  truth,
  whole,
  words,
  type ValueOf,
} from './shape.ts';

export const nodeAnswer = named(
  'Node',
  object({
    name: text(),
    state: words(['up', 'draining', 'down']),
    host: text(),
    url: maybe(text()),
    directory: text(),
    ports: text('The first and the last: `26000-26099`.'),
    ports_free: whole(),
    capacity: amount(),
    used: amount(),
    instances: whole(),
    executables: list(text()),
    isolation: words(
      ['accounts+sandbox', 'accounts', 'sandbox', 'none'],
      'What keeps programs of instances apart there.',
    ),
    accounts: maybe(
      text(
        'As whom instances run: `2100000000-2100004095`, of which each new one has its own, or `nobody (shared)`.',
      ),
    ),
    limits: maybe(
      text('What keeps the limits of instances there, and which of them nothing keeps, for people.'),
    ),
    beat_at: time('When it was heard of last.'),
  }),
);
export type NodeAnswer = ValueOf<typeof nodeAnswer>;

export const nodesAnswer = named('Nodes', object({ nodes: list(nodeAnswer) }));
export type NodesAnswer = ValueOf<typeof nodesAnswer>;

const offeringAnswer = named(
  'Offering',
  object({
    id: text(),
    name: text(),
    description: text(),
    on_sale: truth(),
    hidden: maybe(text('Why it is not on sale, as a sentence.')),
  }),
);
export type OfferingAnswer = ValueOf<typeof offeringAnswer>;

export const offeringsAnswer = named('Offerings', object({ offerings: list(offeringAnswer) }));
export type OfferingsAnswer = ValueOf<typeof offeringsAnswer>;

const quotaException = object({
  instances: maybe(whole('How many there may be for this one; absent: any number.')),
  cost: maybe(amount('What they may cost; absent: anything.')),
  from: text('Where it is said.'),
});

const quotaAnswer = named(
  'Quota',
  object({
    offering: maybe(text('Absent: it is of all offerings together.')),
    plan: maybe(text('Of which alone it is; absent: of the whole offering.')),
    from: text('Where it is said: in the offering file, or at a place of QUOTAS_FILE.'),
    per: words(quotaScopes, 'For each of whom it is.'),
    instances: maybe(whole('How many there may be; absent: any number.')),
    cost: maybe(amount('What they may cost; absent: anything.')),
    uses: list(
      object({
        owner: maybe(text('By id, where there is one; absent: nobody has said whose they are.')),
        name: maybe(text('As people know it.')),
        instances: whole(),
        cost: amount(),
        exception: maybe(quotaException),
      }),
      'Those who use most first, at most a hundred of them.',
    ),
  }),
);
export type QuotaAnswer = ValueOf<typeof quotaAnswer>;

export const quotasAnswer = named('Quotas', object({ quotas: list(quotaAnswer) }));
export type QuotasAnswer = ValueOf<typeof quotasAnswer>;

const orphanAnswer = named(
  'Orphan',
  object({
    provisioner: text(),
    node: maybe(text()),
    name: text(),
    instance_id: maybe(text()),
    key: maybe(text()),
    first_seen_at: time(),
    final: truth('It has been seen for long enough to be removed.'),
    condemned: truth('It will be removed.'),
  }),
);
export type OrphanAnswer = ValueOf<typeof orphanAnswer>;

export const orphansAnswer = named('Orphans', object({ orphans: list(orphanAnswer) }));
export type OrphansAnswer = ValueOf<typeof orphansAnswer>;

const missingInstanceAnswer = named(
  'MissingInstance',
  object({
    id: text(),
    key: text('Of which the names of what is missing are made.'),
    offering_id: text(),
    plan_id: text(),
    provisioner: text(),
    node: maybe(text('Where it should be, when it is of a node.')),
  }),
);

export const missingAnswer = named(
  'Missing',
  object({
    missing: list(missingInstanceAnswer),
    unseen: list(text(), 'What could not be looked for, as sentences.'),
  }),
);
export type MissingAnswer = ValueOf<typeof missingAnswer>;

/** Of what was done, where there is nothing more to say. */
export const doneAnswer = named('Done', object({}));

export const errorAnswer = named(
  'Error',
  object({
    error: text('The code of the refusal, `failed`, or what HTTP itself refuses.'),
    description: text('A sentence for people.'),
    field: maybe(text()),
    detail: maybe(text('What is behind a failure.')),
  }),
);
export type ErrorAnswer = ValueOf<typeof errorAnswer>;
