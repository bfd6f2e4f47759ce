import type { Making } from '../../broker/catalog.ts';
import type { Json } from '../../broker/json.ts';

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
  readonly log?: string;
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
}

export interface ExchangeTemplate {
  readonly port: string;
  readonly send: string;
  readonly expect: string;
}

/** With what `configSchema` says of absent keys. */
export function configOf({ config }: Making): ProcessConfig {
  const written = config as unknown as Written;
  return {
    needs: written.needs ?? [],
    ports: written.ports ?? [],
    files: mapValues(written.files ?? {}, fileOf),
    processes: mapValues(written.processes ?? {}, processOf),
    bind: written.bind ?? [],
    unbind: written.unbind ?? [],
  };
}

/** What the schema cannot see: names that lead nowhere. A clause, or undefined. */
export function mistakeIn({ ports, processes, bind, unbind }: ProcessConfig): string | undefined {
  const rules = Object.values(processes).map(({ ready }) => ready?.port);
  const used = [...rules, ...[...bind, ...unbind].map(({ port }) => port)];
  const unknown = used.find((port) => port !== undefined && !ports.includes(port));
  return unknown === undefined ? undefined : `config.ports has no '${unknown}'`;
}

interface Written {
  readonly needs?: readonly string[];
  readonly ports?: readonly string[];
  readonly files?: Readonly<Record<string, WrittenFile>>;
  readonly processes?: Readonly<Record<string, WrittenProcess>>;
  readonly bind?: readonly ExchangeTemplate[];
  readonly unbind?: readonly ExchangeTemplate[];
}

type WrittenFile = string | { readonly content: string; readonly mode?: string; readonly keep?: boolean };

type WrittenProcess = Pick<ProcessTemplate, 'run' | 'ready' | 'log'> &
  Partial<Pick<ProcessTemplate, 'order' | 'env' | 'cwd'>> & {
    readonly stop?: { readonly signal?: NodeJS.Signals };
  };

function fileOf(file: WrittenFile): FileTemplate {
  const { content, mode = '0600', keep = false } = typeof file === 'string' ? { content: file } : file;
  return { content, mode: Number.parseInt(mode, 8), keep };
}

function processOf({ stop, order = 1, env = {}, cwd = 'data', ...rest }: WrittenProcess): ProcessTemplate {
  return { ...rest, order, env, cwd, stopSignal: stop?.signal ?? 'SIGTERM' };
}

function mapValues<In, Out>(
  values: Readonly<Record<string, In>>,
  map: (value: In) => Out,
): Record<string, Out> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value)]));
}
