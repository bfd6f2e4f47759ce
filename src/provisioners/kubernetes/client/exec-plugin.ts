import { execFile } from 'node:child_process';
import { isObject, type Json, type JsonObject } from '../../../broker/json.ts';
import { codeOf } from '../../../system/error-code.ts';
import type { ExecPlugin } from './access.ts';

/** Who we are, as a plugin has said it. */
export interface PluginCredential {
  readonly token: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  /** Milliseconds since 1970; undefined when it holds as long as this program runs. */
  readonly expiresAt: number | undefined;
}

const timeLimitMs = 60_000;

/**
 * Runs it, without a shell. What it writes is in no error: it is made of secrets.
 * @param cluster what it is told of the cluster, where it wants to know
 * @throws Error with a sentence that begins behind the name of the kubeconfig
 */
export async function runExecPlugin(
  plugin: ExecPlugin,
  cluster: JsonObject,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<PluginCredential> {
  const spec = { interactive: false, ...(plugin.wantsCluster && { cluster }) };
  const info = JSON.stringify({ apiVersion: plugin.apiVersion, kind: 'ExecCredential', spec });
  const output = await outputOf(plugin, { ...environment, ...plugin.env, KUBERNETES_EXEC_INFO: info });
  const credential = parsedCredential(output);
  const status = isObject(credential) && isObject(credential['status']) ? credential['status'] : {};
  const expires = textOf(status['expirationTimestamp']);
  const found = {
    token: textOf(status['token']),
    certificate: textOf(status['clientCertificateData']),
    key: textOf(status['clientKeyData']),
    expiresAt: expires === undefined ? undefined : Date.parse(expires),
  };
  if (found.token === undefined && (found.certificate === undefined || found.key === undefined))
    throw new Error('has an exec whose command wrote no ExecCredential with a token or a certificate');
  return found;
}

async function outputOf(
  { command, args }: ExecPlugin,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const limits = { timeout: timeLimitMs, killSignal: 'SIGKILL', maxBuffer: 1_000_000 } as const;
  const child = execFile(command, [...args], { env, ...limits }, (error, stdout) => {
    if (!error) return resolve(stdout);
    const why =
      codeOf(error) === '' ? (error.killed ? 'it was ended' : `exit code ${error.code}`) : codeOf(error);
    reject(new Error(`has an exec whose command failed (${why})`));
  });
  child.stdin?.on('error', () => undefined).end();
  return promise;
}

function parsedCredential(output: string): unknown {
  try {
    return JSON.parse(output);
  } catch {
    // What the parser says quotes the text.
    return undefined;
  }
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
