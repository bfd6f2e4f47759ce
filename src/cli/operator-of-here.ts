import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { readOperatorAccess, type OperatorAccess } from '../config/config.ts';
import { operatorPasswordFile } from '../program/opening/secrets.ts';
import { operatorClient, type OperatorClient } from '../protocols/operator/client.ts';

/** Speaks to the broker that runs with the same variables as this command. */
export function operatorOfHere(): OperatorClient {
  const access = readOperatorAccess();
  const login = { username: access.operatorUsername, password: passwordOf(access) };
  return operatorClient(addressOf(access), login);
}

/** Where it is reached from elsewhere, when that was said; else where it listens. */
function addressOf({ publicUrl, host, port }: OperatorAccess): string {
  if (publicUrl !== undefined) return publicUrl;
  if (port === 0)
    throw new Error('With PORT 0 nobody knows where the broker listens: set PORT or PUBLIC_URL.');
  const name = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host ?? ''] ?? host ?? '127.0.0.1';
  return `http://${isIPv6(name) ? `[${name}]` : name}:${port}`;
}

function passwordOf({ operatorPassword, dataDir }: OperatorAccess): string {
  if (operatorPassword !== undefined) return operatorPassword;
  const file = join(dataDir, operatorPasswordFile);
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new Error(
      `The operator's password is not known: OPERATOR_PASSWORD is not set, and ${file} cannot be read.`,
      { cause: error },
    );
  }
}
