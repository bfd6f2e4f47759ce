import type { Password } from './shell.ts';
import { shellWord } from './shell.ts';

/** What a platform is told of a broker. */
export interface Registration {
  /** Of the broker, at the platform. */
  readonly name: string;
  readonly url: string;
  readonly username: string;
  readonly password: Password;
  /** The authorities of its certificate, in PEM form, where the platform has to be told of them. */
  readonly authority?: string | undefined;
  /** It is known there already, and told anew. */
  readonly update: boolean;
  readonly namespace: string;
}

/** A command of a platform's own client. */
export interface ClientCommand {
  /** For a shell; without any password. */
  readonly shown: string;
  readonly program: string;
  readonly args: readonly string[];
  /** Variables that it has beside ours. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** What who runs it should know before. */
  readonly warning?: string;
}

export interface SoldName {
  readonly name: string;
  readonly plans: readonly { readonly name: string }[];
}

/** The password is in a variable that cf reads, from its version 8 on, and so in no list of processes. */
export function cloudFoundry({ name, url, username, password, update }: Registration): ClientCommand {
  const args = [`${update ? 'update' : 'create'}-service-broker`, name, username, url];
  return {
    shown: `CF_BROKER_PASSWORD=${password.inShell} ${shellLine('cf', args)}`,
    program: 'cf',
    args,
    env: { CF_BROKER_PASSWORD: password.value },
  };
}

export function cloudFoundryAccess({ name }: Registration, { name: offering }: SoldName): ClientCommand {
  return plain('cf', ['enable-service-access', offering, '-b', name]);
}

/** Its client takes the password as an argument, and in no other way. */
export function stackato({ name, url, username, password, update }: Registration): ClientCommand {
  const verb = `${update ? 'update' : 'create'}-service-broker`;
  const args = [verb, name, '--url', url, '--username', username, '--password'];
  return {
    shown: `${shellLine('stackato', args)} ${password.inShell}`,
    program: 'stackato',
    args: [...args, password.value],
    warning:
      'While stackato runs, other users of this machine can see the password among its arguments: it takes it in no other way.',
  };
}

export function stackatoAccess({ name, plans }: SoldName): readonly ClientCommand[] {
  return plans.map((plan) =>
    plain('stackato', ['update-service-plan', '--public', plan.name, '--vendor', name]),
  );
}

/** For the service catalog of Kubernetes (svc-cat): the broker, and a secret with its login. */
export function kubernetes(registration: Registration): ClientCommand {
  const { name, url, username, password, authority, namespace } = registration;
  const login = { name: `${name}-login`, namespace };
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: login,
    stringData: { username, password: password.value },
  };
  const caBundle = authority === undefined ? {} : { caBundle: Buffer.from(authority).toString('base64') };
  const broker = {
    apiVersion: 'servicecatalog.k8s.io/v1beta1',
    kind: 'ClusterServiceBroker',
    metadata: { name },
    spec: { url, ...caBundle, authInfo: { basic: { secretRef: login } } },
  };
  const making = ['create', 'secret', 'generic', login.name, '--namespace', namespace];
  const parts = [`--from-literal=username=${username}`, '--from-file=password=/dev/stdin'];
  const secretLine = shellLine('kubectl', [...making, ...parts, '--dry-run=client', '-o', 'json']);
  return {
    shown: [
      `printf %s ${password.inShell} | ${secretLine} | kubectl apply -f -`,
      `kubectl apply -f - <<'END'`,
      JSON.stringify(broker, undefined, 2),
      'END',
    ].join('\n'),
    program: 'kubectl',
    args: ['apply', '-f', '-'],
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [secret, broker] }),
  };
}

/** How a service of tsuru is told of: by its manifest, which the broker writes and which holds a password. */
export interface TsuruService {
  readonly offering: string;
  /** Where its manifest is. */
  readonly url: string;
  readonly username: string;
  readonly password: Password;
  readonly update: boolean;
}

/** @param file with the manifest, where it is run */
export function tsuruService(
  { offering, url, username, password, update }: TsuruService,
  file: string,
): ClientCommand {
  const verb = ['service', update ? 'update' : 'create'];
  const user = shellWord(`user = "${username}:%s"\\n`);
  const own = shellWord(`${offering}.yaml`);
  return {
    shown: [
      `(umask 077; printf ${user} ${password.inShell} | curl -fsS -K - ${shellWord(url)} > ${own})`,
      `${shellLine('tsuru', verb)} ${own}`,
    ].join('\n'),
    program: 'tsuru',
    args: [...verb, file],
  };
}

function plain(program: string, args: readonly string[]): ClientCommand {
  return { shown: shellLine(program, args), program, args };
}

function shellLine(program: string, args: readonly string[]): string {
  return [program, ...args].map(shellWord).join(' ');
}
