import { createHash } from 'node:crypto';
import { Failure } from '../../../broker/errors.ts';
import type { ResourceLimits } from '../../../broker/catalog.ts';
import { canonicalJson, type Json, type JsonObject, jsonOf } from '../../../broker/json.ts';
import { render, renderText, TemplateError } from '../../../broker/template.ts';
import type {
  DirectoryName,
  ExchangeTemplate,
  ProcessConfig,
  ProcessTemplate,
  ReadyTemplate,
  RenewalTemplate,
} from '../config.ts';
import type { Exchange, InTheClear } from '../probe/tcp.ts';
import type { WebRule } from '../probe/http.ts';

/** The files and commands of one instance, with all templates filled. Holds secrets. */
export interface Blueprint {
  readonly files: Readonly<Record<string, FileBlueprint>>;
  /** Files that are written once; what is in them then is the program's own. */
  readonly kept: Readonly<Record<string, FileBlueprint>>;
  readonly units: Readonly<Record<string, UnitBlueprint>>;
  /** The same when files, commands and environments are the same: then nothing needs to be restarted. */
  readonly mark: string;
}

export interface FileBlueprint {
  readonly content: string;
  readonly mode: number;
}

export interface UnitBlueprint {
  readonly run: readonly string[];
  readonly order: number;
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: DirectoryName;
  readonly ready?: ReadyRule;
  readonly stopSignal: NodeJS.Signals;
  readonly log?: string;
  /** What makes it read a new certificate; absent: as 'restart'. */
  readonly renewal?: Renewal;
  /** Absent: none. */
  readonly limits?: ResourceLimits;
  /** Of a container: what it is made from. */
  readonly image?: string;
  /** Of a container: the numbers of the ports at which it is reached. */
  readonly publish?: readonly number[];
}

export type Renewal =
  'restart' | 'none' | NodeJS.Signals | { readonly port: number; readonly talk: Exchange };

export type ReadyRule =
  // `talk` is the word of the state files.
  | { readonly port: number; readonly talk: Exchange }
  | { readonly port: number; readonly web: WebRule }
  | { readonly command: readonly string[] };

/** @throws Failure when a template cannot be filled */
export function draw(config: ProcessConfig, roots: JsonObject, limits?: ResourceLimits): Blueprint {
  try {
    const files = drawFiles(config, roots, false);
    const kept = drawFiles(config, roots, true);
    const onlyPort = portOfOnlyUnit(config);
    const units = mapEntries(config.processes, (template, name) =>
      drawUnit(template, onlyPort, roots, `config.processes.${name}`),
    );
    const limited = mapEntries(units, (unit): UnitBlueprint => ({ ...unit, limits }));
    return { files, kept, units: limited, mark: markOf(files, Object.keys(kept), limited) };
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new Failure('template', misconfigured, { detail: error.message });
  }
}

export const misconfigured = 'The service offering is not set up correctly. Ask the operator of the broker.';

/** One exchange of a list, filled. */
export function drawExchange(template: ExchangeTemplate, roots: JsonObject): Exchange {
  const fill = (text: string) => renderText(text, roots, 'config.bind');
  return { send: fill(template.send), expect: fill(template.expect), tls: drawTls(template.tls, fill) };
}

function drawTls(tls: boolean | InTheClear | undefined, fill: (text: string) => string): Exchange['tls'] {
  if (typeof tls !== 'object') return tls;
  return { send: tls.send === undefined ? undefined : fill(tls.send), expect: fill(tls.expect) };
}

function drawFiles({ files }: ProcessConfig, roots: JsonObject, kept: boolean): Blueprint['files'] {
  const those = Object.entries(files).filter(([, { keep }]) => keep === kept);
  return mapEntries(Object.fromEntries(those), ({ content, mode }, name) => ({
    content: renderText(content, roots, `config.files.${name}`),
    mode,
  }));
}

/** A single unit without a rule is asked at the first port, as nobody else can have it. */
function portOfOnlyUnit({ processes, ports }: ProcessConfig): ReadyTemplate | undefined {
  return Object.keys(processes).length === 1 && ports[0] !== undefined ? { port: ports[0] } : undefined;
}

function drawUnit(
  template: ProcessTemplate,
  byDefault: ReadyTemplate | undefined,
  roots: JsonObject,
  at: string,
): UnitBlueprint {
  const { run, env, ready = byDefault, renewal, image, ports, ...rest } = template;
  return {
    ...rest,
    image: image === undefined ? undefined : wordOf(image, roots, `${at}.image`),
    publish: ports?.map((name) => portIn(name, roots, `${at}.ports`)),
    run: drawCommand(run, roots, `${at}.run`),
    env: mapEntries(env, (value, name) => wordOf(value, roots, `${at}.env.${name}`)),
    ready: ready && drawRule(ready, roots, `${at}.ready`),
    renewal: drawRenewal(renewal, roots, `${at}.renewal`),
  };
}

function drawRenewal(rule: RenewalTemplate, roots: JsonObject, at: string): Renewal {
  if (typeof rule === 'string') return rule;
  const port = portIn(rule.port, roots, `${at}.port`);
  return { port, talk: drawExchange(rule, roots) };
}

function drawRule(rule: ReadyTemplate, roots: JsonObject, at: string): ReadyRule {
  const { port: name = '', send, expect, http, status = 200, headers = {}, command, tls } = rule;
  if (command) return { command: drawCommand(command, roots, `${at}.command`) };
  const port = portIn(name, roots, `${at}.port`);
  const fill = (text: string) => renderText(text, roots, at);
  if (http !== undefined) {
    const filled = mapEntries(headers, (value) => fill(String(value)));
    // The schema lets no page begin in the clear.
    const isTls = tls === undefined ? undefined : tls !== false;
    const web = { path: fill(http), status: Number(render(status, roots)), headers: filled, tls: isTls };
    return { port, web };
  }
  return {
    port,
    talk: {
      send: send === undefined ? undefined : fill(send),
      expect: expect === undefined ? undefined : fill(expect),
      tls: drawTls(tls, fill),
    },
  };
}

function drawCommand(command: readonly Json[], roots: JsonObject, at: string): readonly string[] {
  return command.map((word, index) => wordOf(word, roots, `${at}[${index}]`));
}

function portIn(name: string, roots: JsonObject, at: string): number {
  return Number(wordOf(`{{ports.${name}}}`, roots, at));
}

/** An argument or a variable: any text but one with the character that would end it. */
function wordOf(template: Json, roots: JsonObject, at: string): string {
  const value = render(template, roots);
  if (typeof value === 'object') throw new TemplateError(at, 'A list, an object or null is no text.');
  const word = String(value);
  if (word.includes('\0')) throw new TemplateError(at, 'A text here cannot hold the character NUL.');
  return word;
}

/** How it is asked whether a unit is ready, its place in the order and its signal are no reason to restart it. */
function markOf(
  files: Readonly<Record<string, FileBlueprint>>,
  kept: readonly string[],
  units: Readonly<Record<string, UnitBlueprint>>,
): string {
  const launched = mapEntries(units, ({ run, env, cwd, image, publish, limits = {} }) =>
    jsonOf({
      run,
      env,
      cwd,
      image,
      publish: publish && [...publish],
      limits: Object.keys(limits).length > 0 ? { ...limits } : undefined,
    }),
  );
  const text = canonicalJson({ files, kept, launched } as unknown as JsonObject);
  return createHash('sha256').update(text).digest('hex');
}

function mapEntries<In, Out>(
  values: Readonly<Record<string, In>>,
  map: (value: In, name: string) => Out,
): Record<string, Out> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value, name)]));
}
