import { isObject, type Json, type JsonObject, jsonOf } from '../broker/json.ts';
import type { Certificates, Ports, Users } from '../broker/nodes.ts';
import type { Work } from '../broker/provisioner.ts';
import { dirValues, nodeValues } from './hooks/context.ts';
import { instanceDirectory, type InstanceDirectory } from './instance-directory.ts';
import type { LocalNode } from './local-node.ts';
import { nodeOfInstance } from './node-of-instance.ts';

/** What a provisioner of this node needs: the node, and the numbers it may give to its instances. */
export interface NodeSettings {
  readonly node: LocalNode;
  readonly ports: Ports;
  /** Absent: instances have no users of their own. */
  readonly users?: Users;
  /** Absent: what is made here has no certificates. */
  readonly certificates?: Certificates;
}

/** One instance at its place on this node, which `node` is as this instance has it: all that is known of it in one step. */
export interface InstanceContext extends NodeSettings {
  readonly work: Work;
  readonly directory: InstanceDirectory;
  /** Its ports by name. */
  readonly numbers: Readonly<Record<string, number>>;
  /** What its hooks have put out, by hook. */
  readonly outputs: JsonObject;
  /** Template roots: the core's and ours. */
  readonly roots: JsonObject;
  /** The processes of its units that live now, by unit; absent: it has none that the broker started. */
  readonly pids?: () => Readonly<Record<string, number>>;
}

/**
 * @param kind the provisioner's name
 * @param kept what steps have left to remember, the latest last: `ports`, `outputs`; it counts before the record
 * @param findPorts its ports where nothing of this knows them
 */
export function instanceContext(
  { node: shared, ports, users, certificates }: NodeSettings,
  kind: string,
  work: Work,
  kept: readonly JsonObject[],
  findPorts: (directory: InstanceDirectory) => JsonObject | undefined = () => undefined,
): InstanceContext {
  const directory = instanceDirectory(shared, kind, work.instance);
  const node = nodeOfInstance(shared, { work, directory });
  const known =
    kept.findLast((left) => left['ports'])?.['ports'] ?? work.values['ports'] ?? findPorts(directory);
  const numbers = numbersIn(known);
  const sources = [work.values, ...kept].map(({ outputs }) => objectIn(outputs));
  const outputs = Object.assign({}, ...sources) as JsonObject;
  const facts = { node: nodeValues(node), ports: numbers, dir: dirValues(directory), outputs };
  return {
    node,
    ports,
    users,
    certificates,
    work,
    directory,
    numbers,
    outputs,
    roots: { deps: {}, ...work.values, ...facts },
  };
}

/** What credentials may use, and later work needs. */
export function factsOf({ roots, numbers, outputs }: InstanceContext): JsonObject {
  const { node = {}, dir = {}, tls } = roots;
  return jsonOf({ node, dir, ports: numbers, outputs, tls });
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
