/**
 * Every route of the operator API: here it is served from, here the OpenAPI document is made of, and here stands under
 * which name the command line has it. Add yours, and the compiler asks for its handler in endpoints.ts.
 */
import { actionRoutes } from './actions/act.ts';
import { adoptRoutes } from './adopt/adopt.ts';
import { auditQuery } from './audit.ts';
import { backupRoutes } from './backups/routes.ts';
import { dashboardRoutes } from './dashboards/link.ts';
import { instanceRoutes } from './instance-routes.ts';
import type { OperatorRoute } from './route.ts';
import { upgradeRoutes } from './upgrades/routes.ts';
import { webhookRoutes } from './webhooks/routes.ts';
import { auditAnswer } from './wire/audit.ts';
import { authoritiesAnswer, authorityAnswer, authorityBody } from './wire/authorities.ts';
import {
  doneAnswer,
  nodeAnswer,
  nodesAnswer,
  offeringsAnswer,
  orphansAnswer,
  quotasAnswer,
} from './wire/broker.ts';
import { anyObject } from './wire/shape.ts';
import { orphanBody } from './wire/units.ts';

const node = '/operator/nodes/:node';

/** By the words of the command of the program that asks it. */
export const operatorRoutes = {
  ...instanceRoutes,
  ...actionRoutes,
  ...adoptRoutes,
  ...upgradeRoutes,
  ...webhookRoutes,
  ...backupRoutes,
  ...dashboardRoutes,
  nodes: {
    method: 'GET',
    path: '/operator/nodes',
    summary: 'Nodes with state, capacity, free ports and what keeps the limits.',
    answers: { 200: nodesAnswer },
  },
  'nodes show': {
    method: 'GET',
    path: node,
    summary: 'One of them.',
    answers: { 200: nodeAnswer },
  },
  'nodes drain': {
    method: 'POST',
    path: `${node}/drain`,
    summary: 'Lets a node take no new instances.',
    answers: { 200: doneAnswer },
  },
  'nodes undrain': {
    method: 'POST',
    path: `${node}/undrain`,
    summary: 'Lets it take new instances again.',
    answers: { 200: doneAnswer },
  },
  'nodes forget': {
    method: 'POST',
    path: `${node}/forget`,
    summary: 'Removes a node that is down and has no instances.',
    answers: { 200: doneAnswer },
  },
  'nodes abandon': {
    method: 'POST',
    path: `${node}/abandon`,
    summary: 'The same although it has instances: they can only be deleted, or made anew.',
    answers: { 200: doneAnswer },
  },
  offerings: {
    method: 'GET',
    path: '/operator/offerings',
    summary: 'Every offering, and why some are not on sale.',
    answers: { 200: offeringsAnswer },
  },
  quotas: {
    method: 'GET',
    path: '/operator/quotas',
    summary: 'Every quota, and what is in use of it.',
    answers: { 200: quotasAnswer },
  },
  orphans: {
    method: 'GET',
    path: '/operator/orphans',
    summary: 'Things that nobody owns; `final` when they were seen twice, long enough apart.',
    answers: { 200: orphansAnswer },
  },
  'orphans remove': {
    method: 'POST',
    path: '/operator/orphans/remove',
    summary: 'Has one removed that is final, at the next look.',
    body: orphanBody,
    answers: { 202: doneAnswer },
  },
  audit: {
    method: 'GET',
    path: '/operator/audit',
    summary: 'Who has done what, page by page.',
    query: auditQuery,
    answers: { 200: auditAnswer },
  },
  authorities: {
    method: 'GET',
    path: '/operator/authorities',
    summary: 'By whom certificates of instances are signed.',
    answers: { 200: authoritiesAnswer },
  },
  'authorities renew': {
    method: 'PUT',
    path: '/operator/authorities/:generation',
    summary: 'Has the next authority made before its time, or says anew from when on it signs.',
    body: authorityBody,
    answers: { 200: authorityAnswer },
  },
  openapi: {
    method: 'GET',
    path: '/operator/openapi.json',
    summary: 'This document.',
    answers: { 200: anyObject('An OpenAPI document.') },
  },
} as const satisfies Readonly<Record<string, OperatorRoute>>;

export type OperatorVerb = keyof typeof operatorRoutes;
