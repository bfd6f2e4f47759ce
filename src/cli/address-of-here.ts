import { readFileSync } from 'node:fs';
import type { BrokerAddress } from '../config/access.ts';
import { localHost, webOrigin } from '../config/web-origin.ts';

/** Where the broker of these variables is reached from elsewhere, when that was said; else where it listens. */
export function addressOf(access: BrokerAddress): string {
  const { publicUrl, host = '127.0.0.1', port } = access;
  if (publicUrl !== undefined) return publicUrl;
  if (port === 0)
    throw new Error('With PORT 0 nobody knows where the broker listens: set PORT or PUBLIC_URL.');
  return webOrigin(access, localHost(host), port);
}

/**
 * A password that was given, or else the one that the first start has made.
 * @param whose of whom it is, in the error
 */
export function passwordOf(
  given: string | undefined,
  { whose, variable, file }: { readonly whose: string; readonly variable: string; readonly file: string },
): string {
  if (given !== undefined) return given;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new Error(
      `The ${whose}'s password is not known: ${variable} is not set, and ${file} cannot be read. Has a broker been started here, with the same variables?`,
      { cause: error },
    );
  }
}
