import type { Operating } from '../broker/catalog.ts';

/** Milliseconds that a step has, unless the offering says otherwise (docs/lifecycle.md, Processes). */
const defaults = {
  init: 5_000,
  prepare: 60_000,
  configure: 60_000,
  start: 30_000,
  once_ready: 60_000,
  check_up: 30_000,
  stop: 10_000,
  halt: 5_000,
  monitor: 2_000,
  bind: 30_000,
  unbind: 30_000,
  update: 60_000,
  remove: 60_000,
  backup: 3_600_000,
  restore: 3_600_000,
  action: 60_000,
} as const;

export type TimedStep = keyof typeof defaults;

export function limitOf({ timeouts }: Operating, step: TimedStep): number {
  return timeouts[step] ?? defaults[step];
}

/** Milliseconds from the launch until everything must be ready; who sets only `start` means this one. */
export function readyLimit({ timeouts }: Operating): number {
  return timeouts['check_up'] ?? timeouts['start'] ?? defaults.check_up;
}

/** Milliseconds that units have to get ready before those that come after them in the order. */
export function startLimit({ timeouts }: Operating): number {
  return timeouts['start'] ?? timeouts['check_up'] ?? defaults.start;
}
