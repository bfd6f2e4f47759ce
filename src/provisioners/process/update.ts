import { Failure } from '../../broker/errors.ts';
import type { Made, Step, Work } from '../../broker/provisioner.ts';
import { findConfigured, isConfigured } from './files/state.ts';
import { configure, drawSite } from './files/configure.ts';
import { endUnits, endingActs, isRunning } from './units/end.ts';
import { callHook, hasHook, keepOutputs } from './hook-calls.ts';
import { readyLimit } from '../../node/step-limits.ts';
import { findPrevious, forgetPrevious, keepPrevious, putBack } from './files/rollback.ts';
import { requireExecutables, settle, takePorts } from './provision.ts';
import { awaitReady } from './probe/ready.ts';
import { type Act, type Acts, given, goOn, isLastTry, type Next, NotNow, type Turn } from './sequence.ts';
import { factsOf, type ProcessSettings, type Site, siteOf } from './site.ts';
import { findTakenPorts, startUnits, wantedUnits } from './units/start.ts';

/**
 * Makes an instance what its new plan and parameters say. When that changes no file, command or environment,
 * nothing is restarted; when the new does not come up, the old is put back.
 */
export function update(settings: ProcessSettings, work: Work): Promise<Step<Made>> {
  const siteAt = ({ kept }: Turn) => siteOf(settings, work, kept);
  const acts: Acts = {
    init: (turn) => init(siteAt(turn), settings),
    begin: async (turn) => ({ to: (await isRunning(siteAt(turn))) ? 'stop' : 'configure' }),
    ...endingActs(siteAt, 'configure'),
    configure: orPutBack(async (turn) => {
      const site = siteAt(turn);
      const told = await configure(site, drawSite(site), turn.tries);
      return { to: 'hook', did: 'configure', ...keepOutputs(site, 'configure', told) };
    }),
    hook: orPutBack((turn) => callUpdateHook(siteAt(turn), turn, work.instance.stopped ? 'end' : 'start')),
    start: orPutBack((turn) => start(siteAt(turn), turn)),
    ready: orPutBack((turn) => awaitAll(siteAt(turn))),
    unchanged: (turn) => callUpdateHook(siteAt(turn), turn, 'end'),
    // What it was has the numbers that it was made with.
    restore: () => restore(siteOf(settings, work)),
    tell,
  };
  return goOn(acts, 'init', work, (kept) => {
    const site = siteOf(settings, work, kept);
    forgetPrevious(site.directory);
    return { facts: factsOf(site) };
  });
}

/** Everything that can be refused is found out while the old still runs. */
async function init(site: Site, settings: ProcessSettings): Promise<Next> {
  requireExecutables(site);
  const { work, node } = site;
  const ports = await takePorts(settings, work, Object.keys(site.numbers));
  await settle(site);
  const shall = siteOf(settings, work, { ports });
  // After an update that was broken off nobody knows what runs.
  const isSame = !findPrevious(shall.directory) && isConfigured(shall.directory, drawSite(shall));
  if (!isSame) keepPrevious(node, shall.directory);
  return { to: isSame ? 'unchanged' : 'begin', did: 'init', keep: { ports } };
}

async function callUpdateHook(site: Site, { tries }: Turn, to: string): Promise<Next> {
  if (!hasHook(site, 'update')) return { to };
  const told = await callHook(site, 'update', tries);
  return { to, did: 'update', ...keepOutputs(site, 'update', told) };
}

async function start(site: Site, { tries }: Turn): Promise<Next> {
  const taken = await findTakenPorts(site, Object.keys(site.numbers));
  if (taken.length > 0) throw portTaken(site, taken);
  await startUnits(site, wantedUnits(site), tries);
  return { to: 'ready', did: 'start' };
}

async function awaitAll(site: Site): Promise<Next> {
  await awaitReady(site, wantedUnits(site), readyLimit(site.work.plan.operating));
  return { to: 'end', did: 'check_up' };
}

export function portTaken({ numbers }: Site, [name = '']: readonly string[]): Failure {
  return new Failure(
    'port-taken',
    `Another program uses the network port ${numbers[name]} of the instance. Ask the operator of the broker.`,
  );
}

/** An act after which there is no way on goes the way back. */
function orPutBack(act: Act): Act {
  return async (turn) => {
    try {
      return await act(turn);
    } catch (error) {
      const failure = error instanceof NotNow && isLastTry(turn) ? given(error) : error;
      if (!(failure instanceof Failure)) throw failure;
      const { word, message, hints } = failure;
      return { to: 'restore', keep: { failure: { word, message, detail: hints.detail ?? '' } } };
    }
  };
}

/** Starts the old one again. What it was stays remembered until it runs. */
async function restore(site: Site): Promise<Next> {
  const { node, directory, work } = site;
  const previous = findPrevious(directory);
  try {
    if (previous && findConfigured(directory)?.mark !== previous.configured.mark) {
      await endUnits(site);
      putBack(node, directory, previous);
    }
    if (!findConfigured(directory)) throw new Failure('nothing-left', 'There is nothing to put back.');
    if (!work.instance.stopped) {
      await startUnits(site, wantedUnits(site), 1);
      await awaitReady(site, wantedUnits(site), readyLimit(work.plan.operating));
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const left = `Putting the old one back failed too: ${error.message} ${error.hints.detail ?? ''}`.trim();
    return { to: 'tell', did: 'restore', keep: { left } };
  }
  forgetPrevious(directory);
  return { to: 'tell', did: 'restore' };
}

interface Told {
  readonly failure: { readonly word: string; readonly message: string; readonly detail: string };
  /** Why the old one is not there again either. */
  readonly left?: string;
}

/** The first error is what is told. */
async function tell({ kept }: Turn): Promise<never> {
  const { failure, left } = kept as unknown as Told;
  const detail = [failure.detail, left ?? ''].filter((text) => text !== '').join(' ');
  throw new Failure(failure.word, failure.message, {
    detail: detail || undefined,
    instanceUsable: left === undefined,
    updateRepeatable: true,
  });
}
