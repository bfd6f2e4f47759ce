import { backupsQuery, ofInstance } from '../list-queries.ts';
import type { OperatorRoute } from '../route.ts';
import { backupMadeAnswer, backupsAnswer, restoreBody } from '../wire/backups.ts';
import { doneAnswer } from '../wire/broker.ts';
import { actionAnswer } from '../wire/operations.ts';
import { emptyBody } from '../wire/units.ts';

const backup = '/operator/backups/:backupId';

/** The part of the table of routes that is of backups. */
export const backupRoutes = {
  backups: {
    method: 'GET',
    path: '/operator/backups',
    summary: 'Backups of all instances, the latest first, page by page.',
    query: backupsQuery,
    answers: { 200: backupsAnswer },
  },
  'backups create': {
    method: 'POST',
    path: '/operator/instances/:instanceId/backups',
    summary: 'Makes a backup of an instance.',
    query: ofInstance,
    body: emptyBody,
    answers: { 200: backupMadeAnswer, 202: backupMadeAnswer },
  },
  'backups restore': {
    method: 'POST',
    path: `${backup}/restore`,
    summary: 'Puts what a backup holds in place of what an instance holds.',
    body: restoreBody,
    answers: { 200: actionAnswer, 202: actionAnswer },
  },
  'backups delete': {
    method: 'DELETE',
    path: backup,
    summary: 'Removes a backup.',
    answers: { 200: doneAnswer },
  },
} as const satisfies Readonly<Record<string, OperatorRoute>>;
