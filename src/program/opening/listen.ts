import { isLoopback } from '../../config/loopback.ts';
import { localHost, webOrigin } from '../../config/web-origin.ts';
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
  config: Config,
): Promise<{ address: string; port: number }> {
  const { port, host } = config;
  try {
    const { port: taken } = await server.listen(port, host);
    return { address: webOrigin(config, localHost(host), taken), port: taken };
  } catch (error) {
    const code = codeOf(error);
    if (code !== 'EADDRINUSE')
      throw new Error(`Cannot listen on PORT ${port} of HOST (${code}).`, { cause: error });
    throw new Error(`Port ${port} is in use. Set PORT to another one.`, { cause: error });
  }
}

/** What passwords and credentials go through in the clear; undefined: nothing beyond this machine. */
export function unprotectedListener({ host, tlsCert, trustProxy }: Config): string | undefined {
  if (isLoopback(host) || tlsCert !== undefined || trustProxy !== 0) return undefined;
  return `HOST is ${host}, and passwords and credentials cross the network unencrypted: set TLS_CERT and TLS_KEY, or TRUST_PROXY where a proxy in front speaks TLS.`;
}

const mostByItself = 10_000;
const withoutLimit = 1_000;

/** Half of the descriptors are left for the database, for files and for what this node looks at. */
export function connectionLimit({ maxConnections }: Config): number {
  const descriptors = descriptorLimit() ?? 2 * withoutLimit;
  return maxConnections ?? Math.min(mostByItself, Math.max(4, Math.floor(descriptors / 2)));
}
