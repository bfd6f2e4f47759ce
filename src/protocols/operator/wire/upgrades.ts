import { upgradeItemStates, upgradeRunStates } from '../../../broker/offices/upgrades.ts';
import { next } from './operations.ts';
import {
  body,
  dictionary,
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

const word = (description?: string) =>
  maybe(text(description, { minLength: 1, maxLength: 1000, format: 'text' }));

export const upgradesBody = body({
  offering: word('By name or id.'),
  plan: word('By name or id.'),
  node: word(),
  platform: word(),
  organization: word('By name.'),
  organization_guid: word(),
  space: word('By name.'),
  space_guid: word(),
  canaries: maybe(whole('So many come first; absent: none.', { minimum: 0, maximum: 1000 })),
  at_once: maybe(whole('Absent: 1.', { minimum: 1, maximum: 100 })),
  stop_after: maybe(
    whole('It pauses when so many have failed; absent: 1.', { minimum: 1, maximum: 1_000_000 }),
  ),
  watch: maybe(
    whole('Milliseconds after which canaries must be up and well; absent: 30,000.', {
      minimum: 0,
      maximum: 86_400_000,
    }),
  ),
  approve: maybe(truth('After the canaries it waits until it is resumed.')),
});
export type UpgradesBody = ValueOf<typeof upgradesBody>;

const run = object({
  id: text(),
  state: words(upgradeRunStates),
  reason: maybe(text('Why it is paused, as a sentence; absent: an operator wants it so.')),
  filter: dictionary(text(), 'Which instances were asked for.'),
  canaries: whole(),
  at_once: whole(),
  stop_after: whole(),
  watch: whole('Milliseconds.'),
  approve: truth(),
  canaries_passed: truth('The others have their turn.'),
  instances: object({
    waiting: whole(),
    started: whole(),
    succeeded: whole(),
    failed: whole(),
    skipped: whole('Gone, without a plan to be upgraded to, or left out by a cancel.'),
  }),
  principal: maybe(text('Who has started it.')),
  request: maybe(text()),
  holder: maybe(text('The broker that carries it on at this moment.')),
  created_at: time(),
  finished_at: maybe(time()),
});

export const upgradeRunAnswer = named('UpgradeRun', run);
export type UpgradeRunAnswer = ValueOf<typeof upgradeRunAnswer>;

export const upgradeRunsAnswer = named(
  'UpgradeRuns',
  object({ upgrades: list(upgradeRunAnswer, 'The latest first.') }),
);
export type UpgradeRunsAnswer = ValueOf<typeof upgradeRunsAnswer>;

const upgradeItemAnswer = named(
  'UpgradedInstance',
  object({
    instance_id: text(),
    canary: truth(),
    state: words(upgradeItemStates),
    operation_id: maybe(text()),
    reason: maybe(text('Why it failed, was skipped, or still waits.')),
  }),
);
export type UpgradeItemAnswer = ValueOf<typeof upgradeItemAnswer>;

export const upgradeDetailsAnswer = named(
  'UpgradeRunDetails',
  object({ ...run.members, items: list(upgradeItemAnswer, 'In their order, page by page.'), next }),
);
export type UpgradeDetailsAnswer = ValueOf<typeof upgradeDetailsAnswer>;
