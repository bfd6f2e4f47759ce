import { optional } from '../../config/option.ts';
import { secret, secretsByName, userName } from '../../config/kinds.ts';

/** Options of what tsuru sees of the broker: each offering is a service of its own, with its own login. */
export const tsuruOptions = {
  tsuruUsername: optional(
    'TSURU_USERNAME',
    userName(),
    'the name of the offering',
    'Name that tsuru logs in with.',
  ),
  tsuruPassword: optional(
    'TSURU_PASSWORD',
    secret(),
    'made once and kept in DATA_DIR; with an external database tsuru reaches no offering without it',
    "The operator's password, by which manifests are had. Each manifest holds one that is made of it and opens its offering alone.",
  ),
  tsuruPasswords: optional(
    'TSURU_PASSWORDS',
    secretsByName(),
    'no offering has one of its own',
    'Passwords of single offerings, as a JSON object by their names, in place of those.',
  ),
};
