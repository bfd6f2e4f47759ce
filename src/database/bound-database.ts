import { isPostgresUrl } from './connection.ts';

/** A Postgres that the platform we run on has bound to us. */
export interface BoundDatabase {
  readonly name: string;
  /** Holds the password: never log it. */
  readonly url: string;
  /** The certificate of the authority that signed the server's, PEM. */
  readonly ca: string | undefined;
}

/**
 * Finds the Postgres in VCAP_SERVICES (parsed). A service counts when a tag, its label, its name or the scheme of
 * its url says Postgres, and no url of it says otherwise. Undefined without one; throws when two count, or when the
 * only one has no credentials we can use.
 */
export function findBoundDatabase(vcapServices: unknown): BoundDatabase | undefined {
  const candidates = readServices(vcapServices).filter(isPostgres);
  const found = candidates.flatMap((service) => readDatabase(service) ?? []);
  if (found.length > 1) {
    throw new Error(
      `VCAP_SERVICES binds ${found.length} Postgres services. Unbind all but one, or set DATABASE_URL.`,
    );
  }
  if (candidates[0] && !found[0]) {
    throw new Error(
      `VCAP_SERVICES binds a service that looks like a Postgres, but its credentials have neither a url we can read nor host, database, user and password. Set DATABASE_URL.`,
    );
  }
  return found[0];
}

type Fields = Readonly<Record<string, unknown>>;

interface BoundService {
  readonly name: string;
  readonly label: string;
  readonly tags: string[];
  readonly credentials: Fields;
}

function readServices(vcapServices: unknown): BoundService[] {
  const entries = Object.entries(readFields(vcapServices));
  return entries.flatMap(([label, services]) =>
    readList(services).map((service) => readService(label, readFields(service))),
  );
}

function readService(label: string, service: Fields): BoundService {
  return {
    name: pick(service, 'name', 'instance_name') ?? label,
    label: pick(service, 'label') ?? label,
    tags: readList(service['tags']).map((tag) => String(tag).toLowerCase()),
    credentials: readFields(service['credentials']),
  };
}

function isPostgres({ name, label, tags, credentials }: BoundService): boolean {
  const schemes = readUrls(credentials).map((url) =>
    url
      .replace(/^jdbc:/i, '')
      .split(':')[0]!
      .toLowerCase(),
  );
  if (schemes.some((scheme) => /^postgres(ql)?$/.test(scheme))) return true;
  // A mysql: url is an answer too; an https: one is a dashboard.
  if (schemes.some((scheme) => !/^https?$/.test(scheme))) return false;
  return tags.some((tag) => /^postgres(ql)?$/.test(tag)) || /postgres|pgsql/i.test(`${label} ${name}`);
}

function readUrls(credentials: Fields): string[] {
  return ['uri', 'url', 'jdbcUrl', 'jdbcurl', 'jdbc_url'].flatMap((name) => pick(credentials, name) ?? []);
}

function readDatabase({ name, credentials }: BoundService): BoundDatabase | undefined {
  const urls = readUrls(credentials).map(fromJdbc);
  const url = urls.find(isPostgresUrl) ?? buildUrl(readParts(credentials));
  const ca = pick(credentials, 'ca', 'sslca', 'ca_certificate', 'cacrt', 'sslrootcert');
  return url === undefined ? undefined : { name, url, ca };
}

/** jdbc:postgresql://host:port/database?user=..&password=..&more becomes a url with the user in front. */
function fromJdbc(url: string): string {
  const [, address, query] = /^jdbc:(postgresql:\/\/[^?]*)\??(.*)$/i.exec(url) ?? [];
  if (address === undefined) return url;
  const parameters = new URLSearchParams(query);
  const [user, password] = [parameters.get('user'), parameters.get('password')];
  parameters.delete('user');
  parameters.delete('password');
  const login = user && `${encodeURIComponent(user)}:${encodeURIComponent(password ?? '')}@`;
  return `${address.replace('//', `//${login ?? ''}`)}${parameters.size > 0 ? '?' : ''}${parameters.toString()}`;
}

function readParts(credentials: Fields) {
  return {
    host: pick(credentials, 'host', 'hostname'),
    port: pick(credentials, 'port') ?? '5432',
    database: pick(credentials, 'database', 'dbname', 'name'),
    user: pick(credentials, 'user', 'username'),
    password: pick(credentials, 'password'),
    mode: pick(credentials, 'sslmode'),
  };
}

function buildUrl({
  host,
  port,
  database,
  user,
  password,
  mode,
}: ReturnType<typeof readParts>): string | undefined {
  if (!host || !database || !user || !password) return undefined;
  const login = [user, password].map(encodeURIComponent).join(':');
  const address = host.includes(':') ? `[${host}]` : host;
  const url = `postgres://${login}@${address}:${port}/${encodeURIComponent(database)}`;
  return mode ? `${url}?sslmode=${encodeURIComponent(mode)}` : url;
}

/** The first of these fields that is a text or a number. */
function pick(fields: Fields, ...names: string[]): string | undefined {
  for (const name of names) {
    const value = fields[name];
    if (typeof value === 'number' || (typeof value === 'string' && value !== '')) return String(value);
  }
  return undefined;
}

function readFields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function readList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
