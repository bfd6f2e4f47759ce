import { upgradeItemStates } from '../../../broker/offices/upgrades.ts';
import { pageQuery } from '../list-queries.ts';
import type { OperatorRoute } from '../route.ts';
import { whole, words } from '../wire/shape.ts';
import { emptyBody } from '../wire/units.ts';
import { upgradeDetailsAnswer, upgradeRunAnswer, upgradeRunsAnswer, upgradesBody } from '../wire/upgrades.ts';

const run = '/operator/upgrades/:run';

/** The part of the table of routes that is of runs of upgrades. */
export const upgradeRoutes = {
  upgrades: {
    method: 'GET',
    path: '/operator/upgrades',
    summary: 'Runs of upgrades, the latest first.',
    query: { limit: whole('100 where nothing is said.', { minimum: 1, maximum: 1000 }) },
    answers: { 200: upgradeRunsAnswer },
  },
  'upgrades show': {
    method: 'GET',
    path: run,
    summary: 'One of them, with its instances page by page.',
    query: { ...pageQuery, state: words(upgradeItemStates) },
    answers: { 200: upgradeDetailsAnswer },
  },
  'upgrades start': {
    method: 'POST',
    path: '/operator/upgrades',
    summary: 'Upgrades all instances that have drifted and fit.',
    body: upgradesBody,
    answers: { 202: upgradeRunAnswer },
  },
  'upgrades pause': {
    method: 'POST',
    path: `${run}/pause`,
    summary: 'Begins no more of them until it is resumed.',
    body: emptyBody,
    answers: { 200: upgradeRunAnswer },
  },
  'upgrades resume': {
    method: 'POST',
    path: `${run}/resume`,
    summary: 'Goes on with one that is paused, whatever has paused it.',
    body: emptyBody,
    answers: { 200: upgradeRunAnswer },
  },
  'upgrades cancel': {
    method: 'POST',
    path: `${run}/cancel`,
    summary: 'Begins no more of them; what has begun ends by itself.',
    body: emptyBody,
    answers: { 200: upgradeRunAnswer },
  },
} as const satisfies Readonly<Record<string, OperatorRoute>>;
