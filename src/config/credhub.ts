import { path, userName, webAddress, WrongValue, type Kind } from './kinds.ts';
import { optional, standard } from './option.ts';

/** Options of CredHub, where the credentials of bindings may lie. */
export const credhubOptions = {
  credhubUrl: optional(
    'CREDHUB_URL',
    webAddress(),
    'platforms are given the credentials themselves',
    'Address of CredHub, beginning with https://, of the Cloud Foundry that logs in as BROKER_USERNAME: there its bindings have their credentials, and it gets references.',
  ),
  credhubCa: optional(
    'CREDHUB_CA',
    path(),
    'those that the machine trusts',
    'File with certificates of authorities, in PEM form, that CredHub and its UAA are known by.',
  ),
  credhubClient: optional(
    'CREDHUB_CLIENT',
    userName(),
    'the client certificate says who it is',
    'Name of the client of UAA as which the broker asks CredHub.',
  ),
  credhubSecretFile: optional(
    'CREDHUB_SECRET_FILE',
    path(),
    'none',
    'File with the secret of CREDHUB_CLIENT. It is read each time that the secret is needed.',
  ),
  credhubCert: optional(
    'CREDHUB_CERT',
    path(),
    'CREDHUB_CLIENT says who it is',
    'File with the client certificate by which the broker asks CredHub, in PEM form, such as CF_INSTANCE_CERT of an app.',
  ),
  credhubKey: optional(
    'CREDHUB_KEY',
    path(),
    'none',
    'File with the private key of CREDHUB_CERT, in PEM form. Both are read at each request.',
  ),
  credhubPath: standard(
    'CREDHUB_PATH',
    credhubName(),
    '/c/purveyor',
    'Below which name the credentials lie in CredHub: another one for each database of brokers.',
  ),
};

function credhubName(): Kind<string> {
  return {
    read(text) {
      if (/^(\/[\w.-]+)+$/.test(text) && text.length <= 80) return text;
      throw new WrongValue('must be a path such as /c/purveyor, of at most 80 letters, digits and - _ . /');
    },
  };
}

type Given = Readonly<
  Record<
    'credhubUrl' | 'credhubClient' | 'credhubSecretFile' | 'credhubCert' | 'credhubKey',
    string | undefined
  >
>;

/** What is said of CredHub must be whole. */
export function halfOfCredhub(given: Given): readonly string[] {
  const { credhubUrl, credhubClient, credhubSecretFile, credhubCert, credhubKey } = given;
  const isByClient = credhubClient !== undefined && credhubSecretFile !== undefined;
  const isByCertificate = credhubCert !== undefined && credhubKey !== undefined;
  if (credhubUrl === undefined) return [];
  if (!credhubUrl.startsWith('https://'))
    return ['CREDHUB_URL must begin with https://: credentials are sent there.'];
  if (isByClient !== isByCertificate) return [];
  return [
    'CREDHUB_URL is set: it needs CREDHUB_CLIENT and CREDHUB_SECRET_FILE, or CREDHUB_CERT and CREDHUB_KEY.',
  ];
}
