import { bindingsQuery, instancesQuery, ofInstance, operationsQuery } from './list-queries.ts';
import type { OperatorRoute } from './route.ts';
import { missingAnswer } from './wire/broker.ts';
import { bindingsAnswer, instanceDetailsAnswer, instancesAnswer } from './wire/instances.ts';
import {
  actionAnswer,
  forceDeleteAnswer,
  listedOperationAnswer,
  operationsAnswer,
  purgeAnswer,
} from './wire/operations.ts';
import { text, truth, whole } from './wire/shape.ts';
import { actionBody, emptyBody, execAnswer, execBody, logAnswer } from './wire/units.ts';

const instance = '/operator/instances/:instanceId';
const operation = '/operator/operations/:operationId';

const confirmed = { confirm: text('The id of the instance once more.') };
const toNode = {
  node: text('Only if the broker is this node: so brokers ask each other.'),
  passed_on: truth('Another broker has asked, and tells of it.'),
};
const ofBinding = { ...ofInstance, binding_id: text('As `instance_id`, of the binding.') };
const acted = { 200: actionAnswer, 202: actionAnswer };

/** The part of the table of routes that is of instances, their bindings and their operations. */
export const instanceRoutes = {
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
    query: ofBinding,
    answers: acted,
  },
  'instances purge': {
    method: 'POST',
    path: `${instance}/actions/purge`,
    summary: 'Forgets an instance and removes nothing of it.',
    query: { ...ofInstance, ...confirmed },
    body: emptyBody,
    answers: { 200: purgeAnswer },
  },
  'instances force-delete': {
    method: 'POST',
    path: `${instance}/actions/force-delete`,
    summary: 'Deletes what can be deleted of an instance, and forgets the rest.',
    query: { ...ofInstance, ...confirmed },
    body: emptyBody,
    answers: { 200: forceDeleteAnswer, 202: actionAnswer },
  },
  'instances purge-binding': {
    method: 'POST',
    path: `${instance}/bindings/:bindingId/actions/purge`,
    summary: 'Forgets a binding and revokes nothing.',
    query: { ...ofBinding, confirm: text('The id of the binding once more.') },
    body: emptyBody,
    answers: { 200: purgeAnswer },
  },
  'instances protect': {
    method: 'POST',
    path: `${instance}/actions/protect`,
    summary: 'Protects an instance against deletion, by whomever.',
    query: ofInstance,
    body: emptyBody,
    answers: { 200: actionAnswer },
  },
  'instances unprotect': {
    method: 'POST',
    path: `${instance}/actions/unprotect`,
    summary: 'Lets an instance be deleted again.',
    query: ofInstance,
    body: emptyBody,
    answers: { 200: actionAnswer },
  },
  'instances undelete': {
    method: 'POST',
    path: `${instance}/actions/undelete`,
    summary: 'Brings back an instance that was deleted and is kept.',
    query: ofInstance,
    body: emptyBody,
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
  'instances missing': {
    method: 'GET',
    path: '/operator/missing',
    summary: 'Instances of which nothing is there.',
    answers: { 200: missingAnswer },
  },
  'operations show': {
    method: 'GET',
    path: operation,
    summary: 'One of them.',
    answers: { 200: listedOperationAnswer },
  },
  'operations retry': {
    method: 'POST',
    path: `${operation}/retry`,
    summary: 'Asks once more for what has failed.',
    body: emptyBody,
    answers: acted,
  },
  'operations cancel': {
    method: 'POST',
    path: `${operation}/cancel`,
    summary: 'Has one that is in progress end as failed.',
    body: emptyBody,
    answers: acted,
  },
  bindings: {
    method: 'GET',
    path: '/operator/bindings',
    summary: 'Bindings of all instances, page by page.',
    query: bindingsQuery,
    answers: { 200: bindingsAnswer },
  },
} as const satisfies Readonly<Record<string, OperatorRoute>>;
