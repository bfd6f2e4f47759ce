import { Failure } from '../../broker/errors.ts';
import { portOwner } from '../../broker/key.ts';
import type { Made, Step, Work } from '../../broker/provisioner.ts';
import { findExecutables } from '../../system/executables.ts';
import { keepHooks } from '../../node/hooks/files.ts';
import { makeInstanceDirectory } from '../../node/instance-directory.ts';
import { misconfigured } from './files/blueprint.ts';
import { mistakeIn } from './config.ts';
import { configure, drawSite } from './files/configure.ts';
import { endingActs, isRunning } from './units/end.ts';
import { callHook, hasHook, keepOutputs } from './hook-calls.ts';
import { readyLimit } from '../../node/step-limits.ts';
import { awaitReady } from './probe/ready.ts';
import { type Acts, goOn, type Next, type Turn } from './sequence.ts';
import { factsOf, kind, type ProcessSettings, type Site, siteOf } from './site.ts';
import { findTakenPorts, noPort, replacePorts, startUnits, unitsOf } from './units/start.ts';

/** Makes an instance: init, prepare, configure, check_up, what runs already ended, start, check_up. */
export function provision(settings: ProcessSettings, work: Work): Promise<Step<Made>> {
  const siteAt = ({ kept }: Turn) => siteOf(settings, work, kept);
  const acts: Acts = {
    init: (turn) => init(siteAt(turn), settings, turn),
    prepare: (turn) => prepare(siteAt(turn), turn),
    async configure(turn) {
      const site = siteAt(turn);
      const told = await configure(site, drawSite(site), turn.tries);
      return { to: 'check_up', did: 'configure', ...keepOutputs(site, 'configure', told) };
    },
    // By identity: what a broken attempt has left running may be configured differently.
    async check_up(turn) {
      return { to: (await isRunning(siteAt(turn))) ? 'stop' : 'start', did: 'check_up' };
    },
    ...endingActs(siteAt, 'start'),
    start: (turn) => start(siteAt(turn), turn),
    async ready(turn) {
      const site = siteAt(turn);
      await awaitReady(site, unitsOf(site), readyLimit(work.plan.operating));
      return { to: 'end', did: 'check_up' };
    },
  };
  return goOn(acts, 'init', work, (kept) => ({ facts: factsOf(siteOf(settings, work, kept)) }));
}

/**
 * Ports for all names that the config has: those that the instance has already, and new ones.
 * @param told names whose number somebody knows already: they stay as they are
 * @throws Failure when there are not enough
 */
export async function takePorts(
  settings: ProcessSettings,
  work: Work,
  told: readonly string[],
): Promise<Readonly<Record<string, number>>> {
  const { node, ports } = settings;
  const names = siteOf(settings, work).config.ports;
  if (names.length === 0) return {};
  const numbers = await ports.take(node.name, portOwner(work.instance), names);
  if (!numbers) throw noPort();
  const site = siteOf(settings, work, { ports: numbers });
  const untold = names.filter((name) => !told.includes(name));
  return replacePorts(site, await findTakenPorts(site, untold));
}

/** @throws Failure when an executable is not on this node */
export function requireExecutables({ config, node }: Site): void {
  const found = findExecutables(node.path, config.needs);
  const missing = config.needs.find((name) => !found.includes(name));
  if (missing === undefined) return;
  throw new Failure('no-executable', `The program ${missing}, which the service needs, is not there.`, {
    detail: `There is no executable ${missing} on the path ${node.path} of node ${node.name}.`,
  });
}

async function init(site: Site, settings: ProcessSettings, turn: Turn): Promise<Next> {
  const { work, node, config } = site;
  const mistake = mistakeIn(config);
  if (mistake !== undefined) throw new Failure('misconfigured', misconfigured, { detail: mistake });
  const ports = await takePorts(settings, work, []);
  const next = { to: 'prepare', did: 'init', keep: { ports } };
  if (!hasHook(site, 'init')) return next;
  await settle(site);
  const ready = siteOf({ node, ports: site.ports }, work, { ...turn.kept, ports });
  const told = await callHook(ready, 'init', turn.tries);
  return { ...next, keep: { ports, ...keepOutputs(ready, 'init', told).keep } };
}

async function prepare(site: Site, { tries }: Turn): Promise<Next> {
  requireExecutables(site);
  await settle(site);
  const told = await callHook(site, 'prepare', tries);
  return { to: 'configure', did: 'prepare', ...keepOutputs(site, 'prepare', told) };
}

/** Its directory, with the hooks of the offering. */
export async function settle({ node, work }: Site): Promise<void> {
  const { offeringName: name, operating } = work.plan;
  const directory = await makeInstanceDirectory(node, kind, work.instance);
  await keepHooks(node, directory, { name, hooks: operating.hooks });
}

/** A stranger may have taken a port since `init` had looked: once it gets another number, and is configured again. */
async function start(site: Site, { kept, tries }: Turn): Promise<Next> {
  const taken = await findTakenPorts(site, Object.keys(site.numbers));
  if (taken.length > 0 && kept['replaced'] === true) throw noPort();
  if (taken.length > 0) {
    return { to: 'configure', keep: { ports: await replacePorts(site, taken), replaced: true } };
  }
  await startUnits(site, unitsOf(site), tries);
  return { to: 'ready', did: 'start' };
}
