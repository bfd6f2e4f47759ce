import type { Client, ClientConfig } from 'pg';
import { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Hint } from '../broker/store.ts';
import { backoff } from '../broker/timing.ts';
import { openClient } from './connections.ts';

export interface Listening {
  readonly config: ClientConfig;
  readonly channel: string;
  /** Told of every connection that could not be made or broke; listening goes on by itself. */
  readonly onTrouble: (doing: string, detail: string) => void;
}

/** Between two tries to connect. */
const pauses = { first: 100, longest: 30_000 };

/**
 * Hears what the brokers tell each other, on a connection of its own. Whatever is lost while it is not connected
 * polling finds later; so every new connection is a hint too. Gives the function that ends it.
 */
export function listen(listening: Listening, onHint: (hint: Hint) => void): () => Promise<void> {
  const stopping = new AbortController();
  const listened = keepListening(listening, onHint, stopping.signal);
  return async function stop() {
    stopping.abort();
    await listened;
  };
}

async function keepListening(
  listening: Listening,
  onHint: (hint: Hint) => void,
  signal: AbortSignal,
): Promise<void> {
  let tries = 0;
  while (!signal.aborted) {
    try {
      await listenOnce(listening, onHint, signal, () => (tries = 0));
    } catch (error) {
      if (signal.aborted) return;
      listening.onTrouble('listening for hints', String(error));
      tries += 1;
      await pause(backoff(tries, pauses), undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Ends when it shall stop, and throws when the connection breaks. */
async function listenOnce(
  { config, channel }: Listening,
  onHint: (hint: Hint) => void,
  signal: AbortSignal,
  onConnected: () => void,
): Promise<void> {
  const socket = new Socket();
  const client = openClient({ ...DEFAULTS, ...config, ...hidden(config), stream: () => socket });
  const broken = new Promise<never>((_resolve, reject) => {
    client.on('error', reject);
    client.on('end', () => reject(new Error('The connection has ended.')));
  });
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  const onAbort = () => stop();
  signal.addEventListener('abort', onAbort, { once: true });
  client.on('notification', ({ payload = '' }) => onHint(readHint(payload)));
  try {
    await Promise.race([start(client, channel), broken, stopped]);
    if (signal.aborted) return;
    onConnected();
    onHint({ due: true });
    await Promise.race([broken, stopped]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    broken.catch(() => undefined);
    const ended = client.end();
    // Says goodbye, but waits for no answer: the other side may be the reason why this ends.
    socket.destroy();
    await ended;
  }
}

const DEFAULTS: ClientConfig = { keepAlive: true, connectionTimeoutMillis: 10_000 };

/** A pool hides its password in its settings, so that copying them leaves it behind. */
function hidden({ password }: ClientConfig): ClientConfig {
  return password === undefined ? {} : { password };
}

async function start(client: Client, channel: string): Promise<void> {
  await client.connect();
  await client.query(`listen ${client.escapeIdentifier(channel)}`);
}

function readHint(payload: string): Hint {
  const [word, id] = payload.split(' ');
  if (word === 'ending' && id) return { ending: id };
  return word === 'cancelled' && id ? { cancelled: id } : { due: true };
}
