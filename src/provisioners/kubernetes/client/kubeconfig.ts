import { createRequire } from 'node:module';
import { isAbsolute, resolve } from 'node:path';
import { isObject, type Json, type JsonObject } from '../../../broker/json.ts';
import type { ClusterAccess, ClusterUser, ExecPlugin, Material } from './access.ts';

const require = createRequire(import.meta.url);

/**
 * Reads a kubeconfig. No sentence of an error holds a value of it but the names of contexts, clusters and users.
 * @param folder in which it lies: paths in it begin there
 * @param context the current one of the file when absent
 * @throws Error with a sentence that begins behind the name of the file
 */
export function readKubeconfig(text: string, folder: string, context?: string): ClusterAccess {
  const config = parsed(text);
  const name = context ?? textAt(config, 'current-context');
  if (name === undefined) throw new Error('has no current context: name one of its contexts behind a #');
  const { cluster: clusterName, user: userName } = namedIn(config, 'contexts', 'context', name);
  const cluster = namedIn(config, 'clusters', 'cluster', nameOf(clusterName, `context '${name}'`, 'cluster'));
  const isAnonymous = userName === undefined || userName === '';
  const user = isAnonymous
    ? {}
    : namedIn(config, 'users', 'user', nameOf(userName, `context '${name}'`, 'user'));
  return { ...clusterAt(cluster, folder), user: userAt(user, folder) };
}

function parsed(text: string): JsonObject {
  // Most brokers have no cluster, and would load it for nothing.
  const { parse } = require('yaml') as typeof import('yaml');
  let value: unknown;
  try {
    value = parse(text, { prettyErrors: false });
  } catch {
    // What the parser says quotes the text.
    value = undefined;
  }
  if (!isObject(value)) throw new Error('is no kubeconfig: it must be a YAML object');
  return value;
}

function nameOf(value: Json | undefined, where: string, what: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new Error(`has no ${what} in its ${where}`);
}

/** The member of a list of `{ name, <member> }`. */
function namedIn(config: JsonObject, list: string, member: string, name: string): JsonObject {
  const entries = config[list];
  const found = Array.isArray(entries)
    ? entries.filter(isObject).find((entry) => entry['name'] === name)
    : undefined;
  const value = found?.[member];
  if (isObject(value)) return value;
  throw new Error(`has no ${member} named '${name}'`);
}

function clusterAt(cluster: JsonObject, folder: string): Omit<ClusterAccess, 'user'> {
  const server = textAt(cluster, 'server') ?? '';
  const url = URL.canParse(server) ? new URL(server) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.username !== '' || url.search !== '')
    throw new Error('has no address of http or https as server of its cluster');
  if (textAt(cluster, 'proxy-url') !== undefined)
    throw new Error('has a proxy-url, which this program does not go through');
  return {
    server: url.href.replace(/\/+$/, ''),
    serverName: textAt(cluster, 'tls-server-name'),
    authority: materialAt(cluster, 'certificate-authority', folder),
    isInsecure: cluster['insecure-skip-tls-verify'] === true,
  };
}

function userAt(user: JsonObject, folder: string): ClusterUser {
  if (isObject(user['auth-provider']))
    throw new Error('has an auth-provider, which Kubernetes has replaced by exec');
  const tokenFile = textAt(user, 'tokenFile');
  const token = textAt(user, 'token');
  const username = textAt(user, 'username');
  return {
    token: tokenFile === undefined ? inText(token) : { file: resolve(folder, tokenFile) },
    certificate: materialAt(user, 'client-certificate', folder),
    key: materialAt(user, 'client-key', folder),
    password: username === undefined ? undefined : `${username}:${textAt(user, 'password') ?? ''}`,
    plugin: isObject(user['exec']) ? pluginAt(user['exec'], folder) : undefined,
    impersonation: impersonationAt(user),
  };
}

const pluginVersions = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'];

function pluginAt(exec: JsonObject, folder: string): ExecPlugin {
  const apiVersion = textAt(exec, 'apiVersion') ?? '';
  const command = textAt(exec, 'command');
  if (!pluginVersions.includes(apiVersion))
    throw new Error(`has an exec whose apiVersion is not ${pluginVersions.join(' or ')}`);
  if (command === undefined) throw new Error('has an exec without a command');
  if (exec['interactiveMode'] === 'Always')
    throw new Error('has an exec that wants to talk with somebody, and nobody is there');
  const env = Array.isArray(exec['env']) ? exec['env'].filter(isObject) : [];
  return {
    apiVersion,
    command: command.includes('/') && !isAbsolute(command) ? resolve(folder, command) : command,
    args: textsAt(exec, 'args'),
    env: Object.fromEntries(env.map((entry) => [textAt(entry, 'name') ?? '', textAt(entry, 'value') ?? ''])),
    wantsCluster: exec['provideClusterInfo'] === true,
  };
}

function impersonationAt(user: JsonObject): Record<string, string | readonly string[]> {
  const [as, uid, groups] = [textAt(user, 'as'), textAt(user, 'as-uid'), textsAt(user, 'as-groups')];
  const extra = isObject(user['as-user-extra']) ? Object.entries(user['as-user-extra']) : [];
  return {
    ...(as !== undefined && { 'Impersonate-User': as }),
    ...(uid !== undefined && { 'Impersonate-Uid': uid }),
    ...(groups.length > 0 && { 'Impersonate-Group': groups }),
    ...Object.fromEntries(
      extra.map(([name, values]) => [
        `Impersonate-Extra-${encodeURIComponent(name)}`,
        Array.isArray(values) ? values.filter((one: Json) => typeof one === 'string') : [],
      ]),
    ),
  };
}

/** The member with the ending -data holds the text in base64, the one without it names a file. */
function materialAt(object: JsonObject, name: string, folder: string): Material | undefined {
  const data = textAt(object, `${name}-data`);
  if (data !== undefined) return { text: Buffer.from(data, 'base64').toString('utf8') };
  const file = textAt(object, name);
  return file === undefined ? undefined : { file: resolve(folder, file) };
}

function inText(text: string | undefined): Material | undefined {
  return text === undefined ? undefined : { text };
}

/** An empty text is as none. */
function textAt(object: JsonObject, name: string): string | undefined {
  const value = object[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function textsAt(object: JsonObject, name: string): readonly string[] {
  const value = object[name];
  return Array.isArray(value) ? value.filter((one: Json) => typeof one === 'string') : [];
}
