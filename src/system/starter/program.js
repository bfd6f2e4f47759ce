// Begins programs for the broker, whose memory takes long to copy: this process has next to none. Not TypeScript, since
// what takes the types away would be most of it. It ends with the broker, and what still waits at a gate ends with it.
import { spawn } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { Duplex } from 'node:stream';

/** @typedef {import('./beginning.ts').Order} Order */

/** By the number of the order, as long as the broker has not decided. @type {Map<number, Duplex>} */
const gates = new Map();

/** As many as there are kinds of groups. */
const mostDoors = 3;
/** Milliseconds in which a process goes through its doors; who is held up is moved by the broker. */
const patience = 1000;

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
function begin({ id, begin: { command, log, doors, ...options } }) {
  // What the broker has open, whatever lies under its name by now.
  const to = open(log, constants.O_APPEND);
  // Then the broker does it.
  if (to === undefined) return tell({ id });
  const [program = '', ...args] = command;
  const inside = Array.from({ length: mostDoors }, (_, index) => doors[index] && open(doors[index]));
  try {
    const channels = inside.map((door) => door || 'ignore');
    const stdio = /** @type {const} */ (['ignore', to, to, 'pipe']);
    hear(id, spawn(program, args, { ...options, detached: true, stdio: [...stdio, ...channels] }));
  } catch (error) {
    fail(id, error);
  } finally {
    for (const one of [to, ...inside]) if (one) closeSync(one);
  }
}

/**
 * @param {string} file
 * @param {number} flags beside that it is written
 */
function open(file, flags = 0) {
  try {
    return openSync(file, constants.O_WRONLY | flags);
  } catch {
    return undefined;
  }
}

/**
 * @param {number} id
 * @param {import('node:child_process').ChildProcess} child
 */
function hear(id, child) {
  const gate = child.stdio?.[3] instanceof Duplex ? child.stdio[3] : undefined;
  gate?.on('error', () => undefined);
  child.on('error', (error) => fail(id, error));
  child.on('spawn', () => {
    if (gate) gates.set(id, gate);
    const timer = setTimeout(begun, patience);
    gate?.once('data', begun);
    child.prependOnceListener('exit', begun);
    function begun() {
      clearTimeout(timer);
      gate?.off('data', begun);
      child.off('exit', begun);
      tell({ id, pid: child.pid });
    }
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
