import { setTimeout as pause } from 'node:timers/promises';
import { beatEvery, staleAfter, type NodeProfile, type Nodes } from '../../broker/nodes.ts';
import { startRounds } from './rounds.ts';

export interface HeartbeatParts {
  readonly nodes: Nodes;
  /** How the node is now. */
  readonly profile: () => NodeProfile;
  readonly holder: string;
  readonly machine: string;
  /** Told when the database cannot be told; the next beat tries again. */
  readonly onTrouble: (error: unknown) => void;
  /** Told once when another machine has taken the node's name. */
  readonly onLost: () => void;
  /** Ends the waiting for the name at the start. */
  readonly signal: AbortSignal;
  /** Milliseconds between two beats; a tenth of it after one of which nobody could be told. */
  readonly every?: number;
}

export interface Heartbeat {
  /** Tells at once how the node is. @throws Refusal unavailable */
  beat(): Promise<void>;
  /** Ends when nothing is told any more, the last being that the node is gone. */
  stop(): Promise<void>;
}

/**
 * Tells the database that the node is there, now and from now on.
 * @throws Error when another machine speaks for the name; that takes a while, since one that died leaves a fresh
 *   heartbeat behind
 */
export async function startHeartbeat(parts: HeartbeatParts): Promise<Heartbeat> {
  const { every = beatEvery, onTrouble } = parts;
  await takeName(parts);
  let told: Promise<void> = Promise.resolve();
  let isLost = false;

  function beat(): Promise<void> {
    const { nodes, profile, holder, machine, onLost } = parts;
    const turn = told.then(async () => {
      if (isLost || (await nodes.beat(profile(), holder, machine))) return;
      isLost = true;
      onLost();
    });
    told = turn.catch(() => undefined);
    return turn;
  }

  const rounds = startRounds(async () => {
    try {
      await beat();
      return every;
    } catch (error) {
      onTrouble(error);
      // Soon again, lest others take it for gone.
      return every / 10;
    }
  }, every);

  return {
    beat,
    async stop() {
      await rounds.stop();
      await told;
      // When nobody can be told, others take it for gone after a while all the same.
      if (!isLost) await parts.nodes.leave(parts.profile().name, parts.holder).catch(onTrouble);
    },
  };
}

/** Milliseconds between two tries to get the name. */
const tryEvery = 1000;

async function takeName({ nodes, profile, holder, machine, signal }: HeartbeatParts): Promise<void> {
  const { name } = profile();
  const begun = performance.now();
  let heardOf: number | undefined;
  while (!(await nodes.beat(profile(), holder, machine))) {
    const other = (await nodes.states()).find((node) => node.name === name)?.beatAt.getTime();
    heardOf ??= other;
    const lives = other !== undefined && other !== heardOf;
    if (lives || performance.now() - begun > staleAfter + beatEvery) throw new Error(taken(name));
    await pause(tryEvery, undefined, { signal });
  }
}

function taken(name: string): string {
  return `Another broker is the node '${name}'. Set NODE_NAME to a name of its own for this one, or NODE_ROLE to false.`;
}
