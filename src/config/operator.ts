import { path, secret, userName } from './kinds.ts';
import { optional, standard } from './option.ts';

/** Options of those who operate brokers, which brokers use too when they ask each other. */
export const operatorOptions = {
  operatorUsername: standard('OPERATOR_USERNAME', userName(), 'operator', 'Name that operators log in with.'),
  operatorPassword: optional(
    'OPERATOR_PASSWORD',
    secret(),
    'made once and kept in DATA_DIR; with an external database there is no operator API without it',
    'Password that operators log in with, and brokers when they ask each other.',
  ),
  principalsFile: optional(
    'PRINCIPALS_FILE',
    path(),
    'nobody beside these logins',
    'File of YAML or JSON that names platforms, each with instances of its own, and operators with roles, their passwords by hashes. It is read again when it changes.',
  ),
};
