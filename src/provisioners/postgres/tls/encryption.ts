import type { PoolConfig } from 'pg';
import { Failure } from '../../../broker/errors.ts';
import { openClient } from '../../../postgres/connections.ts';
import { codeOf } from '../../../system/error-code.ts';

/** By what clients can verify a server. */
export interface Authority {
  /** Certificates, in PEM form. */
  readonly ca: string;
  /** How far it is verified, in the words of libpq: with the name of the host, unless the administrator leaves it out. */
  readonly sslmode: 'verify-full' | 'verify-ca';
}

/** The authority by which the administrator verifies the server; undefined: by none that could be handed to others. */
export function authorityOf(ssl: PoolConfig['ssl']): Authority | undefined {
  if (typeof ssl !== 'object' || typeof ssl.ca !== 'string') return undefined;
  // The same file may hold what is nobody else's, such as a key.
  const certificates = ssl.ca.match(/-----BEGIN CERTIFICATE-----[^]+?-----END CERTIFICATE-----/g);
  if (!certificates) return undefined;
  return {
    ca: `${certificates.join('\n')}\n`,
    sslmode: ssl.checkServerIdentity ? 'verify-ca' : 'verify-full',
  };
}

/** Who would come to a server, and where to. */
export interface Visitor {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

/** Milliseconds. */
const patience = 10_000;

/**
 * Comes without TLS, and throws Failure when the server then asks for a password: TLS that clients may leave out
 * protects only those who think of it. What the server lets in is its own configuration, which is not ours to change.
 */
export async function requireRefusal(visitor: Visitor): Promise<void> {
  // No password of anybody's is said in the clear.
  const client = openClient({
    ...visitor,
    password: 'none',
    ssl: false,
    connectionTimeoutMillis: patience,
  });
  try {
    await client.connect();
  } catch (error) {
    if (codeOf(error) === refusedByRule) return;
    if (codeOf(error) !== wrongPassword) throw error;
  } finally {
    void client.end().catch(() => undefined);
  }
  throw new Failure(
    'unencrypted',
    'The operator must have the database server refuse connections without TLS.',
    {
      detail: `Without TLS the server at ${visitor.host} asks ${visitor.user} for a password: pg_hba.conf should say hostssl there.`,
      // Nothing was changed.
      instanceUsable: true,
      updateRepeatable: true,
    },
  );
}

/** invalid_authorization_specification: no line of pg_hba.conf is for it, or one rejects it. */
const refusedByRule = '28000';
const wrongPassword = '28P01';
