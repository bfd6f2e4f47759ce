import { setImmediate } from 'node:timers/promises';

/** Signals that come before the program knows what they are to it, as it has hardly begun. */

/** What a signal is to a program that has begun. @param at when it came, as `performance.now()` tells time */
export type OnSignal = (signal: NodeJS.Signals, at: number) => void;

interface Held {
  readonly signal: NodeJS.Signals;
  readonly at: number;
}

const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
const held: Held[] = [];
let meaning: OnSignal | undefined;

/** From now on they end nothing, and are kept for whoever knows what they mean. To be called once, first of all. */
export function holdSignals(): void {
  for (const signal of signals) process.on(signal, take);
}

/** They mean this from now on, those that were kept included, in their order. */
export function heedSignals(onSignal: OnSignal): void {
  meaning = onSignal;
  for (const { signal, at } of held.splice(0)) onSignal(signal, at);
}

/** They mean what they mean to any program: the end, also by those that were kept. */
export async function letSignalsEnd(): Promise<void> {
  // Those that have come are told when the program next listens to the system, and to nobody if nobody waits for them.
  await setImmediate();
  for (const signal of signals) process.off(signal, take);
  for (const { signal } of held.splice(0)) process.kill(process.pid, signal);
}

function take(signal: NodeJS.Signals): void {
  const at = performance.now();
  if (meaning) meaning(signal, at);
  else held.push({ signal, at });
}
