import type { Ports } from '../../broker/nodes.ts';
import { isObject, type Json, type JsonObject } from '../../broker/json.ts';
import type { Work } from '../../broker/provisioner.ts';
import { dirValues, nodeValues } from '../../node/hooks/context.ts';
import { type InstanceDirectory, instanceDirectory } from '../../node/instance-directory.ts';
import type { LocalNode } from '../../node/local-node.ts';
import { configOf, type ProcessConfig } from './config.ts';
import { findConfigured } from './files/state.ts';

export interface ProcessSettings {
  readonly node: LocalNode;
  readonly ports: Ports;
}

/** The directories of this provisioner below the node's. */
export const kind = 'process';

/** One instance at its place on this node: all that is known of it in one step. */
export interface Site {
  readonly node: LocalNode;
  readonly ports: Ports;
  readonly work: Work;
  readonly config: ProcessConfig;
  readonly directory: InstanceDirectory;
  /** Its ports by name. */
  readonly numbers: Readonly<Record<string, number>>;
  /** What its hooks have told, by hook. */
  readonly outputs: JsonObject;
  /** Template roots: the core's and ours. */
  readonly roots: JsonObject;
}

/** @param kept what earlier acts of the operation have left to remember: `ports`, `outputs` */
export function siteOf({ node, ports }: ProcessSettings, work: Work, kept: JsonObject = {}): Site {
  const directory = instanceDirectory(node, kind, work.instance);
  const known = kept['ports'] ?? work.values['ports'] ?? findConfigured(directory)?.ports;
  const numbers = numbersIn(known);
  const outputs = { ...objectIn(work.values['outputs']), ...objectIn(kept['outputs']) };
  const facts = { node: nodeValues(node), ports: numbers, dir: dirValues(directory), outputs };
  const config = configOf(work.plan.making);
  return {
    node,
    ports,
    work,
    config,
    directory,
    numbers,
    outputs,
    roots: { deps: {}, ...work.values, ...facts },
  };
}

/** What credentials may use, and later work needs. */
export function factsOf({ roots, numbers, outputs }: Site): JsonObject {
  return { node: roots['node'] ?? {}, dir: roots['dir'] ?? {}, ports: numbers, outputs };
}

function numbersIn(value: Json | undefined): Record<string, number> {
  const entries = Object.entries(objectIn(value));
  return Object.fromEntries(
    entries.flatMap(([name, port]) => (typeof port === 'number' ? [[name, port]] : [])),
  );
}

function objectIn(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}
