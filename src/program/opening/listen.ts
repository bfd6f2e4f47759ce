import { isIPv6 } from 'node:net';
import type { HttpServer } from '../../http/server.ts';
import { descriptorLimit } from '../../system/descriptors.ts';
import { codeOf } from '../../system/error-code.ts';
import type { Config } from '../config.ts';

/**
 * Gives the address as others on this machine write it.
 * @throws Error with a sentence that names the option
 */
export async function listenOn(
  server: HttpServer,
  { port, host }: Config,
): Promise<{ address: string; port: number }> {
  try {
    const { port: taken } = await server.listen(port, host);
    const name = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host;
    return { address: `http://${isIPv6(name) ? `[${name}]` : name}:${taken}`, port: taken };
  } catch (error) {
    const code = codeOf(error);
    if (code !== 'EADDRINUSE')
      throw new Error(`Cannot listen on PORT ${port} of HOST (${code}).`, { cause: error });
    throw new Error(`Port ${port} is in use. Set PORT to another one.`, { cause: error });
  }
}

const mostByItself = 10_000;
const withoutLimit = 1_000;

/** Half of the descriptors are left for the database, for files and for what this node looks at. */
export function connectionLimit({ maxConnections }: Config): number {
  const descriptors = descriptorLimit() ?? 2 * withoutLimit;
  return maxConnections ?? Math.min(mostByItself, Math.max(4, Math.floor(descriptors / 2)));
}
