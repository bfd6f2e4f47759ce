import { join } from 'node:path';
import { readOperatorAccess } from '../../config/access.ts';
import { operatorPasswordFile } from '../../program/opening/secrets.ts';
import { operatorClient, type OperatorClient } from '../../protocols/operator/client.ts';
import { addressOf, passwordOf } from '../address-of-here.ts';

/** Speaks to the broker that runs with the same variables as this command. */
export function operatorOfHere(): OperatorClient {
  const access = readOperatorAccess();
  const password = passwordOf(access.operatorPassword, {
    whose: 'operator',
    variable: 'OPERATOR_PASSWORD',
    file: join(access.dataDir, operatorPasswordFile),
  });
  return operatorClient(addressOf(access), { username: access.operatorUsername, password });
}
