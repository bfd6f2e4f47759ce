import type { CredentialStore } from '../../broker/credential-store.ts';
import { credhub } from '../../stores/credhub/index.ts';
import type { Config } from '../config.ts';

/** Where the credentials of bindings lie; undefined: platforms are given them. */
export function openCredhub(config: Config): CredentialStore | undefined {
  const { credhubUrl, credhubClient: name, credhubSecretFile: secretFile } = config;
  if (credhubUrl === undefined) return undefined;
  return credhub({
    url: credhubUrl.replace(/\/+$/, ''),
    ca: config.credhubCa,
    cert: config.credhubCert,
    key: config.credhubKey,
    client: name !== undefined && secretFile !== undefined ? { name, secretFile } : undefined,
    path: config.credhubPath,
  });
}
