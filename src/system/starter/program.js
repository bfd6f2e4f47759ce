// Begins programs for the broker, whose memory takes long to copy: this process has next to none. Not TypeScript, since
// what takes the types away would be most of it. It ends with the broker, and what still waits at a gate ends with it.
import { spawn } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { Writable } from 'node:stream';

/** @typedef {import('./beginning.ts').Order} Order */

/** By the number of the order, as long as the broker has not decided. @type {Map<number, Writable>} */
const gates = new Map();

process.on('disconnect', () => process.exit());
process.on('message', (/** @type {Order} */ order) => {
  if ('begin' in order) begin(order);
  else {
    const gate = gates.get(order.id);
    gates.delete(order.id);
    if ('open' in order) gate?.end(order.open);
    else gate?.destroy();
  }
});

/** @param {Extract<Order, { begin: unknown }>} order */
function begin({ id, begin: { command, log, ...options } }) {
  const to = openLog(log);
  // Then the broker does it.
  if (to === undefined) return tell({ id });
  const [program = '', ...args] = command;
  try {
    hear(id, spawn(program, args, { ...options, detached: true, stdio: ['ignore', to, to, 'pipe'] }));
  } catch (error) {
    fail(id, error);
  } finally {
    closeSync(to);
  }
}

/**
 * What the broker has open, whatever lies under its name by now.
 * @param {string} log
 */
function openLog(log) {
  try {
    return openSync(log, constants.O_WRONLY | constants.O_APPEND);
  } catch {
    return undefined;
  }
}

/**
 * @param {number} id
 * @param {import('node:child_process').ChildProcess} child
 */
function hear(id, child) {
  const gate = child.stdio?.[3] instanceof Writable ? child.stdio[3] : undefined;
  gate?.on('error', () => undefined);
  child.on('error', (error) => fail(id, error));
  child.on('spawn', () => {
    if (gate) gates.set(id, gate);
    tell({ id, pid: child.pid });
  });
  child.on('exit', (code, signal) => {
    gates.delete(id);
    gate?.destroy();
    tell({ id, ended: { code, signal } });
  });
}

/**
 * @param {number} id
 * @param {unknown} error
 */
function fail(id, error) {
  tell({ id, failed: { code: Object(error).code, message: String(Object(error).message) } });
}

/** @param {object} news */
function tell(news) {
  process.send?.(news, undefined, undefined, () => undefined);
}
