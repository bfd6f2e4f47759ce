import { readFile } from 'node:fs/promises';
import { canonicalJson, jsonOf, type JsonObject } from '../../../broker/json.ts';
import { codeOf } from '../../../system/error-code.ts';
import type { ClusterAccess, ExecPlugin, Material } from './access.ts';
import { type PluginCredential, runExecPlugin } from './exec-plugin.ts';

/** How a request is made: where to, and as whom. It holds secrets. */
export interface Entry {
  readonly server: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly tls: EntryTls;
  /** What must be in no message. */
  readonly secrets: readonly string[];
}

export interface EntryTls {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly servername: string | undefined;
  readonly rejectUnauthorized: boolean;
}

export interface Login {
  /** At most a minute old: files are read again, and the kubeconfig itself. */
  current(): Promise<Entry>;
  /** Another one than this, with which the server has refused us; everything is read and asked anew. */
  renewed(refused: Entry): Promise<Entry>;
}

interface LoginParts {
  /** How messages name where the access comes from. */
  readonly source: string;
  /** Errors begin behind that name. */
  readonly access: () => Promise<ClusterAccess>;
  /** Of the programs that tell who we are. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const maxAgeMs = 60_000;

/** Milliseconds before its end in which a credential is no longer used: requests take their time. */
const marginMs = 5_000;

/** A program that is refused each time is not run for each request. */
const betweenRunsMs = 2_000;

export function createLogin({ source, access, environment }: LoginParts): Login {
  const plugins = createPluginCache(environment);
  let last: { readonly entry: Entry; readonly at: number } | undefined;
  let reading: Promise<Entry> | undefined;

  async function readEntry(refusedAt: number | undefined): Promise<Entry> {
    const found = await access();
    const authority = await textOfMaterial(found.authority);
    const { plugin } = found.user;
    const told = plugin && (await plugins.find(plugin, clusterInfo(found, authority), refusedAt));
    return entryOf(found, authority, told);
  }
  async function readOnce(refusedAt?: number): Promise<Entry> {
    const at = Date.now();
    try {
      const entry = await readEntry(refusedAt);
      last = { entry, at };
      return entry;
    } catch (error) {
      throw new Error(`${source} ${(error as Error).message}.`);
    } finally {
      reading = undefined;
    }
  }
  const read = (refusedAt?: number): Promise<Entry> => (reading ??= readOnce(refusedAt));
  return {
    async current() {
      const isFresh = last !== undefined && Date.now() - last.at < maxAgeMs && !plugins.hasExpired();
      return isFresh && last ? last.entry : read();
    },
    async renewed(refused) {
      return last !== undefined && last.entry !== refused ? last.entry : read(Date.now());
    },
  };
}

interface Known {
  readonly of: string;
  readonly credential: PluginCredential;
  readonly at: number;
}

function createPluginCache(environment: LoginParts['environment']) {
  let known: Known | undefined;
  function hasExpired(): boolean {
    const end = known?.credential.expiresAt;
    return end !== undefined && Date.now() > end - marginMs;
  }
  return {
    hasExpired,
    async find(plugin: ExecPlugin, cluster: JsonObject, refusedAt = 0): Promise<PluginCredential> {
      const of = canonicalJson({ ...plugin, cluster });
      const isRefused = known !== undefined && known.at + betweenRunsMs < refusedAt;
      if (known?.of === of && !hasExpired() && !isRefused) return known.credential;
      const credential = await runExecPlugin(plugin, cluster, environment);
      known = { of, credential, at: Date.now() };
      return credential;
    },
  };
}

/** As a plugin is told of it. */
function clusterInfo({ server, serverName, isInsecure }: ClusterAccess, authority?: string): JsonObject {
  return jsonOf({
    server,
    'tls-server-name': serverName,
    'insecure-skip-tls-verify': isInsecure || undefined,
    'certificate-authority-data': authority && Buffer.from(authority).toString('base64'),
  });
}

async function entryOf(
  { server, serverName, isInsecure, user }: ClusterAccess,
  authority: string | undefined,
  told: PluginCredential | undefined,
): Promise<Entry> {
  const token = (await textOfMaterial(user.token))?.trim() ?? told?.token;
  const basic = user.password && Buffer.from(user.password).toString('base64');
  const authorization = token ? `Bearer ${token}` : basic && `Basic ${basic}`;
  return {
    server,
    headers: { ...user.impersonation, ...(authorization && { Authorization: authorization }) },
    tls: {
      ca: authority,
      cert: (await textOfMaterial(user.certificate)) ?? told?.certificate,
      key: (await textOfMaterial(user.key)) ?? told?.key,
      servername: serverName,
      rejectUnauthorized: !isInsecure,
    },
    secrets: [token, basic].flatMap((one) => one ?? []),
  };
}

async function textOfMaterial(material: Material | undefined): Promise<string | undefined> {
  if (material === undefined || 'text' in material) return material?.text;
  try {
    return await readFile(material.file, 'utf8');
  } catch (error) {
    throw new Error(`names ${material.file}, which cannot be read (${codeOf(error)})`);
  }
}
