import { postgresServer } from '../../config/kinds.ts';
import { family } from '../../config/option.ts';
import { serverByDefault } from './shape.ts';

/** Options of what offers databases. */
export const postgresOptions = {
  /** Servers, by the names of the variables that name them. They hold passwords. */
  sharedServers: family(
    serverByDefault,
    /^[A-Z][A-Z0-9_]*_POSTGRES_URL$/,
    postgresServer(),
    'the server of the embedded database, when there is one',
    'Postgres server on which databases are offered, with the login of an administrator; offering files may name more of them, whose variables end in _POSTGRES_URL. With sslrootcert in it, a file with the authority of its certificate, plans with TLS are on sale.',
  ),
};
