import { type JsonObject, jsonOf } from '../../broker/json.ts';
import type { Work } from '../../broker/provisioner.ts';
import type { InstanceDirectory } from '../instance-directory.ts';
import type { LocalNode } from '../local-node.ts';

/** The template root `dir`. */
export function dirValues({ base, conf, data, log, run }: InstanceDirectory): JsonObject {
  return { base, conf, data, log, run };
}

/** The template root `node`. */
export function nodeValues({ name, host, bind }: LocalNode): JsonObject {
  return { name, host, bind };
}

/**
 * What a hook reads from its standard input: one object with all it may need. `ports`, `dir`, `node`, `deps`, `pids` are taken
 * from `values`, which are the work's with those roots in it.
 * @param attempt 1, and one more for each time it was tried again
 */
export function hookContext(work: Work, values: JsonObject, action: string, attempt: number): JsonObject {
  const { binding, instance, plan, params, secrets, ports, dir, node, deps, pids, asked } = values;
  return jsonOf({
    action,
    try: attempt,
    instance: instance ?? { id: work.instance.id },
    plan: plan ?? {},
    parameters: params ?? {},
    ports: ports ?? {},
    secrets: secrets ?? {},
    dir: dir ?? {},
    node: node ?? {},
    deps: deps ?? {},
    pids,
    asked,
    binding: work.binding && { ...asObject(binding), parameters: work.binding.confidential.parameters },
  });
}

function asObject(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null ? (value as JsonObject) : {};
}
