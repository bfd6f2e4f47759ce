import {
  anything,
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

export const next = maybe(text('The `after` of the page that follows; absent: this is the last.'));

const operation = object({
  id: text(),
  kind: text(),
  action: maybe(text('Which one, of an action that the offering declares.')),
  state: words(['in progress', 'succeeded', 'failed']),
  binding_id: maybe(text()),
  node: maybe(text('Of which alone a broker can carry it out.')),
  holder: maybe(text('The process that carries it out.')),
  attempt: whole('How often a broker has taken it up.'),
  failures: maybe(whole('How often in a row a step has failed.')),
  trouble: maybe(text('What it failed with last.')),
  left: maybe(text('Of a removal by force that could not remove everything: what stays.')),
  cancelled: maybe(truth('It is to end as failed.')),
  note: maybe(text('What it waits for.')),
  failure: maybe(
    object({ word: text(), sentence: text('For users.'), detail: maybe(text('For operators.')) }),
  ),
  asked_by: object({
    protocol: text(),
    principal: maybe(text('Whose login it was.')),
    request: maybe(text('The id of the request.')),
  }),
  requester: maybe(anything('The originating identity of who asked, as the platform has said it.')),
  created_at: time(),
  finished_at: maybe(time()),
  deadline: maybe(time()),
});

export const operationAnswer = named('Operation', operation);
export type OperationAnswer = ValueOf<typeof operationAnswer>;

export const listedOperationAnswer = named(
  'ListedOperation',
  object({ ...operation.members, instance_id: text(), offering_id: text(), plan_id: text() }),
);
export type ListedOperationAnswer = ValueOf<typeof listedOperationAnswer>;

export const operationsAnswer = named(
  'Operations',
  object({ operations: list(listedOperationAnswer, 'The latest first.'), next }),
);
export type OperationsAnswer = ValueOf<typeof operationsAnswer>;

const stepAnswer = named(
  'Step',
  object({
    step: text(),
    tries: whole(),
    undo: truth('It belongs to undoing what has failed.'),
    ms: whole('How long it took.'),
    ended_at: time(),
  }),
);
export type StepAnswer = ValueOf<typeof stepAnswer>;

export const timedOperationAnswer = named(
  'TimedOperation',
  object({ ...operation.members, timeline: list(stepAnswer) }),
);
export type TimedOperationAnswer = ValueOf<typeof timedOperationAnswer>;

export const actionAnswer = named('Action', object({ operation: maybe(operationAnswer) }));
/** Of what becomes an operation; without one when there was nothing to do. */
export type ActionAnswer = ValueOf<typeof actionAnswer>;

const left = list(text(), 'What is still there, in words.');

export const purgeAnswer = named('Purge', object({ left }));
/** Of what was forgotten. */
export type PurgeAnswer = ValueOf<typeof purgeAnswer>;

export const forceDeleteAnswer = named(
  'ForceDelete',
  object({ operation: maybe(operationAnswer), left: maybe(left) }),
);
/** The operation, or what was left when it has ended. */
export type ForceDeleteAnswer = ValueOf<typeof forceDeleteAnswer>;
