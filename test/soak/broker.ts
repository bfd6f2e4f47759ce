// A broker as `npm start` runs it, in a process of its own that tells what it holds when it is asked.
import { readdirSync } from 'node:fs';
import { compose } from '../../src/program/compose.ts';
import { readConfig } from '../../src/program/config.ts';
import { createLog } from '../../src/telemetry/log.ts';

/** What the process holds at one moment. */
export interface Held {
  /** Bytes that are in use after everything was given back that could be. */
  readonly memory: number;
  /** What keeps the process alive, or could: sockets, servers, pipes, processes. */
  readonly handles: number;
  readonly descriptors: number;
}

const config = readConfig();
const log = createLog(config);
const program = await compose(config, log);
await program.ready;
process.send?.(program.introduction.address);

process.on('message', () => process.send?.(look()));
process.on('disconnect', () => void program.close(5000).then(() => process.exit()));

function look(): Held {
  const { gc } = globalThis;
  // Twice: what is told of its end is given back the second time.
  for (let times = 0; times < 2; times++) gc?.();
  const { heapUsed, external } = process.memoryUsage();
  const handles = process
    .getActiveResourcesInfo()
    .filter((kind) => kind !== 'Timeout' && kind !== 'Immediate');
  return {
    memory: heapUsed + external,
    handles: handles.length,
    descriptors: readdirSync('/proc/self/fd').length,
  };
}
