/** The tsuru service API in all its generations: each offering is a service of its own below `/tsuru/<offering>`. */
import type { Call, FurtherLogins, Handler, Protocol, Route } from '../protocol.ts';
import { cleanUp } from './apps/clean-up.ts';
import { act, log, units, type Action } from './actions.ts';
import {
  bindApp,
  bindFirstGeneration,
  bindJob,
  bindUnitOrApp,
  unbindApp,
  unbindHost,
  unbindJob,
  unbindUnitOrApp,
} from './apps/bind-endpoints.ts';
import { errorReply } from './errors.ts';
import { create, destroy, info, plans, update } from './instances.ts';
import { manifestReply } from './manifest.ts';
import { createLogins, loginFor, type TsuruLogins } from './logins.ts';
import { status } from './status.ts';
import type { TsuruContext } from './context.ts';

export interface TsuruSettings extends TsuruContext {
  readonly logins: TsuruLogins;
  /** Platforms with names, each of which has all offerings for itself. */
  readonly further?: FurtherLogins;
}

/** Serves the broker to tsuru. Every route needs the login of its offering. */
export function tsuru({ logins, further, ...context }: TsuruSettings): Protocol {
  const on =
    (endpoint: (context: TsuruContext, call: Call) => ReturnType<Handler>): Handler =>
    (call) =>
      endpoint(context, call);
  const manifest: Handler = (call) => manifestReply(context, call, loginFor(call, logins));
  const action = (name: Action): Route =>
    post(`${instance}/actions/${name}`, (call) => act(context, call, name));
  return {
    name: 'tsuru',
    open: false,
    realm: { ...createLogins(logins), ...further },
    refuse: errorReply,
    round: () => cleanUp(context),
    routes: [
      get('/tsuru/:offering/manifest.yaml', manifest),
      post(resources, on(create)),
      // Before the instances: none can have this name.
      get(`${resources}/plans`, on(plans)),
      get(instance, on(info)),
      put(instance, on(update)),
      remove(instance, on(destroy)),
      get(`${instance}/status`, on(status)),

      post(instance, on(bindFirstGeneration)),
      remove(`${instance}/hostname/:host`, on(unbindHost)),
      ...['bind', 'bind-unit'].flatMap((word) => [
        post(`${instance}/${word}`, on(bindUnitOrApp)),
        remove(`${instance}/${word}`, on(unbindUnitOrApp)),
      ]),
      post(`${instance}/bind-app`, on(bindApp)),
      remove(`${instance}/bind-app`, on(unbindApp)),
      put(`${instance}/binds/jobs/:job`, on(bindJob)),
      remove(`${instance}/binds/jobs/:job`, on(unbindJob)),

      action('start'),
      action('stop'),
      action('restart'),
      get(`${instance}/units`, on(units)),
      get(`${instance}/log`, on(log)),
    ],
  };
}

const resources = '/tsuru/:offering/resources';
const instance = `${resources}/:name`;

function get(path: string, handler: Handler): Route {
  return { method: 'GET', path, handler };
}

function post(path: string, handler: Handler): Route {
  return { method: 'POST', path, body: 'form or json', handler };
}

function put(path: string, handler: Handler): Route {
  return { method: 'PUT', path, body: 'form or json', handler };
}

function remove(path: string, handler: Handler): Route {
  return { method: 'DELETE', path, body: 'form or json', handler };
}
