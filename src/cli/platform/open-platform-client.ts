import { join } from 'node:path';
import { readPlatformAccess } from '../../config/access.ts';
import { brokerPasswordFile } from '../../program/opening/secrets.ts';
import { trustAuthorities } from '../../program/tls/trust.ts';
import { osbClient, type OsbClient } from '../../protocols/osb/client.ts';
import { addressOf, passwordOf } from '../address-of-here.ts';

/** The work of `brokerOfHere`. */
export function openPlatformClient(): OsbClient {
  const access = readPlatformAccess();
  trustAuthorities(access);
  const password = passwordOf(access.password, {
    whose: 'broker',
    variable: 'BROKER_PASSWORD',
    file: join(access.dataDir, brokerPasswordFile),
  });
  const address = addressOf(access);
  return osbClient({
    address,
    login: { username: access.username, password },
    name: `The broker at ${address}`,
  });
}
