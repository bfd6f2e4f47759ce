import type { ServicePlan } from '../../broker/catalog.ts';
import type { Json } from '../../broker/json.ts';
import type { InTheClear } from './probe/tcp.ts';

/** `config:` of a process offering, as `configSchema` has checked it; every text may hold templates. */
export interface ProcessConfig {
  readonly needs: readonly string[];
  readonly ports: readonly string[];
  readonly files: Readonly<Record<string, FileTemplate>>;
  readonly processes: Readonly<Record<string, ProcessTemplate>>;
  readonly bind: readonly ExchangeTemplate[];
  readonly unbind: readonly ExchangeTemplate[];
}

export interface FileTemplate {
  readonly content: string;
  /** Permission bits. */
  readonly mode: number;
  /** Is it written once, and from then on the program's own? */
  readonly keep: boolean;
}

export interface ProcessTemplate {
  readonly run: readonly Json[];
  readonly order: number;
  readonly env: Readonly<Record<string, Json>>;
  readonly cwd: DirectoryName;
  readonly ready?: ReadyTemplate;
  readonly stopSignal: NodeJS.Signals;
  readonly renewal: RenewalTemplate;
  readonly log?: string;
  /** Of a container: what it is made from. */
  readonly image?: string;
  /** Of a container: the ports, by name, at which it listens. */
  readonly ports?: readonly string[];
}

export type DirectoryName = 'base' | 'conf' | 'data' | 'log' | 'run';

/** Either `port`, alone or with `expect` or `http`, or `command`. */
export interface ReadyTemplate {
  readonly port?: string;
  readonly send?: string;
  readonly expect?: string;
  readonly http?: string;
  readonly status?: number | string;
  readonly headers?: Readonly<Record<string, string | number | boolean>>;
  readonly command?: readonly Json[];
  /** Is it asked in TLS, or from when on? */
  readonly tls?: boolean | InTheClear;
}

export interface ExchangeTemplate {
  readonly port: string;
  readonly send: string;
  readonly expect: string;
  /** Is it spoken in TLS, or from when on? */
  readonly tls?: boolean | InTheClear;
}

/** How a program comes to read a new certificate. */
export type RenewalTemplate = 'restart' | 'none' | NodeJS.Signals | ExchangeTemplate;

/** With what `configSchema` says of absent keys, as it counts for a plan with or without TLS. */
export function configOf({ making, operating }: Pick<ServicePlan, 'making' | 'operating'>): ProcessConfig {
  const written = making.config as unknown as Written;
  const tls = operating.tls === true;
  const { processes = {} } = written;
  const units = Object.keys(processes).length;
  return {
    needs: written.needs ?? [],
    ports: written.ports ?? [],
    files: mapValues(written.files ?? {}, (file) => fileOf(file, tls)),
    processes: mapValues(processes, (process) => inContainer(processOf(process, tls), written, units)),
    bind: (written.bind ?? []).map((one) => inTls(one, tls)),
    unbind: (written.unbind ?? []).map((one) => inTls(one, tls)),
  };
}

/** What the schema cannot see: names that lead nowhere. A clause, or undefined. */
export function mistakeIn({ ports, processes, bind, unbind }: ProcessConfig): string | undefined {
  const rules = Object.values(processes).flatMap(({ ready, renewal, ports: own = [] }) => [
    ...own,
    ready?.port,
    typeof renewal === 'string' ? undefined : renewal.port,
  ]);
  const used = [...rules, ...[...bind, ...unbind].map(({ port }) => port)];
  const unknown = used.find((port) => port !== undefined && !ports.includes(port));
  return unknown === undefined ? undefined : `config.ports has no '${unknown}'`;
}

interface Written {
  readonly image?: string;
  readonly needs?: readonly string[];
  readonly ports?: readonly string[];
  readonly files?: Readonly<Record<string, WrittenFile>>;
  readonly processes?: Readonly<Record<string, WrittenProcess>>;
  readonly bind?: readonly ExchangeTemplate[];
  readonly unbind?: readonly ExchangeTemplate[];
}

interface FileWords {
  readonly content: string;
  readonly mode?: string;
  readonly keep?: boolean;
  readonly tls?: string;
  readonly plain?: string;
}

type WrittenFile = string | FileWords;

type WrittenProcess = Pick<ProcessTemplate, 'run' | 'ready' | 'log' | 'image' | 'ports'> &
  Partial<Pick<ProcessTemplate, 'order' | 'env' | 'cwd' | 'renewal'>> & {
    readonly stop?: { readonly signal?: NodeJS.Signals };
  };

function fileOf(file: WrittenFile, isTls: boolean): FileTemplate {
  const words: FileWords = typeof file === 'string' ? { content: file } : file;
  const { content, mode = '0600', keep = false, tls = '', plain = '' } = words;
  return { content: content + (isTls ? tls : plain), mode: Number.parseInt(mode, 8), keep };
}

function processOf(written: WrittenProcess, tls: boolean): ProcessTemplate {
  const { stop, order = 1, env = {}, cwd = 'data', ready, renewal = 'restart', ...rest } = written;
  return {
    ...rest,
    order,
    env,
    cwd,
    ready: ready && inTls(ready, tls),
    // Without a certificate there is none to be read, and its templates cannot be filled.
    renewal: !tls ? 'restart' : typeof renewal === 'string' ? renewal : inTls(renewal, tls),
    stopSignal: stop?.signal ?? 'SIGTERM',
  };
}

/** Where the plan has TLS it is spoken at all ports, unless something else is said of one. */
function inTls<Rule extends { readonly tls?: boolean | InTheClear }>(rule: Rule, isTls: boolean): Rule {
  const { tls = true } = rule;
  return { ...rule, tls: isTls && tls !== false ? tls : undefined };
}

/** The only unit listens at all ports there are; of several each says which are its. */
function inContainer(
  process: ProcessTemplate,
  { image, ports = [] }: Written,
  units: number,
): ProcessTemplate {
  if (process.image === undefined && image === undefined) return process;
  const own = process.ports ?? (units === 1 ? ports : []);
  return { ...process, image: process.image ?? image, ports: own };
}

function mapValues<In, Out>(
  values: Readonly<Record<string, In>>,
  map: (value: In) => Out,
): Record<string, Out> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value)]));
}
