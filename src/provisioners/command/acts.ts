import { existsSync } from 'node:fs';
import { Failure } from '../../broker/errors.ts';
import { portOwner } from '../../broker/key.ts';
import type { JsonObject } from '../../broker/json.ts';
import { leftRunning } from '../../broker/units.ts';
import { keepHooks, renewHooks, withHooksOfToday } from '../../node/hooks/files.ts';
import { endLeftHooks } from '../../node/hooks/runs.ts';
import { isAnythingOfInstance } from '../../node/instance-processes.ts';
import { makeInstanceDirectory, removeInstanceDirectory } from '../../node/instance-directory.ts';
import type { Act } from './sequence.ts';
import { callHook, hasHook, kind, type Site } from './site.ts';
import { limitOf, type TimedStep } from '../../node/step-limits.ts';
import { until } from '../../system/until.ts';

/** What makes an instance: its directory with the hooks, then the hooks that it has. */
export function makingActs(site: Site): readonly Act[] {
  return [
    { name: 'init', run: (_told, attempt) => init(site, attempt) },
    ...hookActs(site, ['prepare', 'configure']),
    ...startingActs(site),
  ];
}

/** What changes one: the hooks of the new plan are its hooks from now on. */
export function updatingActs(site: Site): readonly Act[] {
  return [{ name: 'prepare', run: () => furnish(site) }, ...hookActs(site, ['configure', 'update'])];
}

export function startingActs(site: Site): readonly Act[] {
  const check: Act = {
    ...hookAct(site, 'check_up'),
    limit: site.work.plan.operating.timeouts['check_up'] ?? 30_000,
  };
  return [...hookActs(site, ['start']), ...(hasHook(site.work, 'check_up') ? [check] : [])];
}

/** The monitor only starts what is dead; what it may ask to end and does not, it leaves as it is. */
export function restartingActs(site: Site): readonly Act[] {
  const { sparing } = site.work;
  if (!sparing) return [...stoppingActs(site), ...startingActs(site)];
  if (sparing.end.length === 0) return startingActs(site);
  const ended: Act = { name: 'stopped', run: () => requireEnded(site) };
  return [...hookActs(site, ['stop']), ended, ...startingActs(site)];
}

/** `halt` is for what is still up after `stop`. */
export function stoppingActs(site: Site): readonly Act[] {
  const halt: Act = { name: 'halt', run: (_told, attempt) => haltIfUp(site, attempt) };
  return [...hookActs(site, ['stop']), ...(hasHook(site.work, 'halt') ? [halt] : [])];
}

/** What takes one away, in the order opposite to its making. Nothing was made where there are no hooks. */
export function removingActs(site: Site): readonly Act[] {
  const hooks =
    existsSync(site.directory.hooks) || !isFromFiles(site)
      ? [...stoppingActs(site), ...hookActs(site, ['remove'])].map((act) => withHooksRenewed(site, act))
      : [];
  const isThere = existsSync(site.directory.data);
  return [...(isThere ? hooks : []), { name: 'clear', run: () => clear(site) }];
}

/** For the last time the hooks of today: what was repaired is of use to what is there already. */
function withHooksRenewed({ node, directory, work }: Site, act: Act): Act {
  const { offeringName: name, operating } = work.plan;
  return {
    ...act,
    async run(told, attempt) {
      await renewHooks(node, directory, { name, hooks: operating.hooks });
      return act.run(told, attempt);
    },
  };
}

/** Takes a binding away by the hook of today. */
export function unbindingActs(site: Site): readonly Act[] {
  const { node, directory, work } = site;
  const { offeringName: name, operating } = work.plan;
  if (!hasHook(work, 'unbind')) return [];
  const run: Act['run'] = (told, attempt) =>
    withHooksOfToday(node, directory, { name, hooks: operating.hooks }, (today) =>
      callHook({ ...site, directory: today }, 'unbind', told, attempt),
    );
  return [{ name: 'unbind', run }];
}

export function hookActs(site: Site, names: readonly TimedStep[]): readonly Act[] {
  return names.filter((name) => hasHook(site.work, name)).map((name) => hookAct(site, name));
}

function hookAct(site: Site, name: TimedStep): Act {
  return { name, run: (told, attempt) => callHook(site, name, told, attempt) };
}

async function init(site: Site, attempt: number) {
  const { ports } = await furnish(site);
  const result = await callHook(site, 'init', { ports }, attempt);
  return { ...result, ports };
}

async function furnish(site: Site): Promise<{ outputs: JsonObject; ports: JsonObject }> {
  const { node, work } = site;
  const directory = await makeInstanceDirectory(node, kind, work.instance);
  const { offeringName: name, operating } = work.plan;
  await endLeftHooks(directory, work.instance.id);
  await keepHooks(node, directory, { name, hooks: operating.hooks });
  return { outputs: {}, ports: await takePorts(site) };
}

async function takePorts({ node, ports, work }: Site): Promise<JsonObject> {
  const names = work.plan.making.config['ports'];
  if (!Array.isArray(names) || names.length === 0) return {};
  const taken = await ports.take(node.name, portOwner(work.instance), names as string[]);
  if (taken) return taken;
  throw new Failure(
    'no-ports',
    'There are not enough free network ports for this instance. Try again later.',
    {
      detail: `The node '${node.name}' has not ${names.length} free ports left.`,
    },
  );
}

async function haltIfUp(site: Site, attempt: number) {
  return (await isDown(site)) ? { outputs: {} } : callHook(site, 'halt', {}, attempt);
}

async function requireEnded(site: Site) {
  const { instance, plan, signal } = site.work;
  const limit = limitOf(plan.operating, 'stop');
  const hasEnded = await until(() => !isAnythingOfInstance(instance.id), {
    first: 100,
    longest: 100,
    limit,
    signal,
  });
  if (!hasEnded || !(await isDown(site)))
    throw new Failure(
      leftRunning,
      `It did not end within ${limit / 1000} s after it was asked to, and is left as it is.`,
    );
  return { outputs: {} };
}

/** What cannot be told counts as up. Where nobody can be asked, `stop` has done it. */
async function isDown(site: Site): Promise<boolean> {
  if (!hasHook(site.work, 'check_up')) return hasHook(site.work, 'stop');
  return callHook(site, 'check_up', {}, 1).then(
    (state) => 'down' in state,
    (error: unknown) => {
      if (error instanceof Failure) return false;
      throw error;
    },
  );
}

async function clear({ node, ports, directory, work }: Site): Promise<{ outputs: JsonObject }> {
  await endLeftHooks(directory, work.instance.id);
  await removeInstanceDirectory(node, kind, work.instance);
  // Last: as long as anything of it is there, nobody else gets its numbers.
  await ports.release(node.name, portOwner(work.instance));
  return { outputs: {} };
}

/** Does any hook need a copy of a file of its own? */
function isFromFiles({ work }: Site): boolean {
  return Object.values(work.plan.operating.hooks).some(({ run: [program = ''] }) => program.includes('/'));
}
