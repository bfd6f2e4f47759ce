import { randomUUID } from 'node:crypto';
import { instancePlatform, type Answer } from '../support/instance-platform.ts';

/** What the broker sells can be had, used and given back, by a platform that can wait and by one that cannot. */

const platform = instancePlatform();
const { provision, update, deprovision, fetch, bind, unbind, fetchBinding, ended, thingsOf } = platform;

interface Life {
  readonly parameters?: object;
  /** Parameters of an update. */
  readonly change?: object;
  readonly bindable?: boolean;
  readonly app?: string;
}

const lives: readonly (readonly [plan: string, life: Life])[] = [
  ['echo/large', {}],
  ['invert/small', {}],
  ['trial-timing/quick', { parameters: { size: 2 }, change: { size: 3 } }],
  ['trial-timing/crash', { change: { size: 3 } }],
  ['trial-features/plain', {}],
  ['trial-features/maintained', {}],
  ['trial-features/fixed', {}],
  ['trial-features/not-bindable', { bindable: false }],
  ['trial-features/app-required', { app: 'an-app' }],
  ['trial-features/rotatable', {}],
  ['trial-features/expiring', {}],
  ['trial-features/endpoints', {}],
  ['trial-features/labelled', {}],
  ['trial-schemas/draft-04', { parameters: { share: 0.5 }, change: { share: 0.25 } }],
  ['trial-schemas/draft-06', { parameters: { zones: ['a'] } }],
  ['trial-schemas-newer/draft-07', { parameters: { kind: 'single' } }],
  ['trial-schemas-newer/draft-2019-09', { parameters: { user: 'u', password: 'p' } }],
  ['trial-schemas-newer/draft-2020-12', { parameters: { range: [1, 2] } }],
  ['trial-syslog-drain/drain', {}],
  ['trial-route/forward', {}],
  ['trial-volume/shared', {}],
  ['bare/only', {}],
  ['moments/brief', { parameters: { size: 2 }, change: { label: 'new' } }],
];

const ofThePatient: typeof lives = [
  ['trial-timing/async-required', { change: { size: 3 } }],
  ['trial-timing/async-instances', { change: { size: 3 } }],
];

test.concurrent.each([...lives, ...ofThePatient])(
  '%s lives from the first to the last request of a platform that can wait [LIF-00, LIF-01, ORP-03]',
  (plan, life) => live(plan, life, false),
);

test.concurrent.each(lives)(
  '%s lives from the first to the last request of a platform that cannot wait [LIF-00, LIF-01, ORP-03]',
  (plan, life) => live(plan, life, true),
);

async function live(
  plan: string,
  { parameters = {}, change = {}, ...life }: Life,
  sync: boolean,
): Promise<void> {
  const id = randomUUID();
  await done(id, 201, await provision(id, plan, { sync, body: { parameters } }));
  expect(await fetch(id)).toMatchObject({ status: 200, body: { parameters } });
  if (life.bindable !== false) await liveBound(id, plan, life, sync);
  await done(id, 200, await update(id, plan, { sync, body: { parameters: change } }));
  expect(await fetch(id)).toMatchObject({ status: 200, body: { parameters: { ...parameters, ...change } } });
  await done(id, 200, await deprovision(id, plan, { sync }));
  expect(await fetch(id)).toMatchObject({ status: 404 });
  expect(await deprovision(id, plan, { sync: false })).toMatchObject({ status: 410 });
  expect(await thingsOf(id)).toEqual([]);
}

async function liveBound(id: string, plan: string, { app }: Life, sync: boolean): Promise<void> {
  const binding = `${id}/service_bindings/b`;
  const answer = await bind(id, 'b', plan, { sync, body: app === undefined ? {} : { app_guid: app } });
  await done(binding, 201, answer);
  const fetched = await fetchBinding(id, 'b');
  expect(fetched.status).toBe(200);
  if (answer.status === 201) expect(fetched.body).toMatchObject(answer.body);
  await done(binding, 200, await unbind(id, 'b', plan, { sync }));
  expect(await fetchBinding(id, 'b')).toMatchObject({ status: 404 });
}

/** Done at once with this status, or accepted, and then all goes well. */
async function done(path: string, status: number, answer: Answer): Promise<void> {
  if (answer.status !== 202) return expect(answer).toMatchObject({ status });
  const last = await ended(path);
  if (last.status !== 410) expect(last.body).toMatchObject({ state: 'succeeded' });
}
