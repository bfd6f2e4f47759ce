/**
 * Every route of the operator API: here it is served from, here the OpenAPI document is made of, and here stands under
 * which name the command line has it. Add yours, and the compiler asks for its handler in endpoints.ts.
 */
import type { Route } from '../protocol.ts';
import { auditQuery } from './audit.ts';
import { instancesQuery, operationsQuery } from './list-queries.ts';
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
import { instanceDetailsAnswer, instancesAnswer } from './wire/instances.ts';
import { actionAnswer, operationsAnswer } from './wire/operations.ts';
import { anyObject, truth, text, whole, type Shape } from './wire/shape.ts';
import { actionBody, emptyBody, execAnswer, execBody, logAnswer, orphanBody } from './wire/units.ts';

export interface OperatorRoute {
  readonly method: Route['method'];
  /** As in Express. */
  readonly path: string;
  /** A sentence for who reads the document. */
  readonly summary: string;
  /** What may stand in the query; anything else is refused. */
  readonly query?: Readonly<Record<string, Shape<unknown>>>;
  readonly body?: Shape<object>;
  /** By status. */
  readonly answers: Readonly<Record<number, Shape<object>>>;
}

const node = '/operator/nodes/:node';
const instance = '/operator/instances/:instanceId';

const ofInstance = {
  instance_id: text('The id, in place of what stands in the path: one of dots would be folded away there.'),
};
const confirmed = { confirm: text('The id of the instance once more.') };
const toNode = {
  node: text('Only if the broker is this node: so brokers ask each other.'),
  passed_on: truth('Another broker has asked, and tells of it.'),
};
const acted = { 200: actionAnswer, 202: actionAnswer };

/** By the words of the command of the program that asks it. */
export const operatorRoutes = {
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
  instances: {
    method: 'GET',
    path: '/operator/instances',
    summary: 'Instances by id, page by page.',
    query: instancesQuery,
    answers: { 200: instancesAnswer },
  },
  'instances show': {
    method: 'GET',
    path: instance,
    summary: 'One instance with units, bindings, and its latest operations step by step.',
    query: ofInstance,
    answers: { 200: instanceDetailsAnswer },
  },
  'instances start': {
    method: 'POST',
    path: `${instance}/actions/start`,
    summary: 'Starts units.',
    query: ofInstance,
    body: actionBody,
    answers: acted,
  },
  'instances stop': {
    method: 'POST',
    path: `${instance}/actions/stop`,
    summary: 'Stops units; their data stays.',
    query: ofInstance,
    body: actionBody,
    answers: acted,
  },
  'instances restart': {
    method: 'POST',
    path: `${instance}/actions/restart`,
    summary: 'Restarts units.',
    query: ofInstance,
    body: actionBody,
    answers: acted,
  },
  'instances recreate': {
    method: 'POST',
    path: `${instance}/actions/recreate`,
    summary: 'Makes anew what was lost with its node: empty, with new credentials.',
    query: ofInstance,
    body: emptyBody,
    answers: acted,
  },
  'instances upgrade': {
    method: 'POST',
    path: `${instance}/actions/upgrade`,
    summary: 'Makes it what its plan is now; its parameters stay.',
    query: ofInstance,
    body: emptyBody,
    answers: acted,
  },
  'instances delete': {
    method: 'DELETE',
    path: instance,
    summary: 'Deletes an instance with its data, whatever its platform knows of it.',
    query: { ...ofInstance, ...confirmed },
    answers: acted,
  },
  'instances unbind': {
    method: 'DELETE',
    path: `${instance}/bindings/:bindingId`,
    summary: 'Removes a binding, whatever its platform knows of it.',
    query: { ...ofInstance, binding_id: text('As `instance_id`, of the binding.') },
    answers: acted,
  },
  'instances exec': {
    method: 'POST',
    path: `${instance}/exec`,
    summary: 'Runs a command beside one unit, or beside each.',
    query: { ...ofInstance, ...toNode },
    body: execBody,
    answers: { 200: execAnswer },
  },
  'instances log': {
    method: 'GET',
    path: `${instance}/log`,
    summary: 'The last lines that units wrote.',
    query: {
      ...ofInstance,
      ...toNode,
      unit: text('Only of this one.'),
      lines: whole('100 where nothing is said.', { minimum: 1, maximum: 10_000 }),
    },
    answers: { 200: logAnswer },
  },
  operations: {
    method: 'GET',
    path: '/operator/operations',
    summary: 'Operations of all instances, the latest first, page by page.',
    query: operationsQuery,
    answers: { 200: operationsAnswer },
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
