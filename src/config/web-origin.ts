import { isIPv6 } from 'node:net';

/** The start of addresses at a broker with these options: `https://10.0.0.1:8443`. */
export function webOrigin(
  { tlsCert }: { readonly tlsCert: string | undefined },
  host: string,
  port: number,
): string {
  return `${tlsCert === undefined ? 'http' : 'https'}://${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/** Where this machine itself reaches what listens there. */
export function localHost(host: string): string {
  return { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host;
}
