import { isObject, type Json, type JsonObject } from '../../../broker/json.ts';
import type { ClusterObject } from '../cluster.ts';

/**
 * The object with the protocol of each port that names none: TCP, as the server would say, if it knew. With server-side
 * apply a server of 1.20 does not apply that default, and refuses the port: the protocol is a part of its key.
 */
export function withProtocols<Shape extends ClusterObject>(object: Shape): Shape {
  if (object.apiVersion === 'v1' && object.kind === 'Service') return withPortsAt(object, 'spec');
  return /^(?:v1|apps\/.*|batch\/.*)$/.test(object.apiVersion) ? (containersIn(object) as Shape) : object;
}

/** Wherever a list of containers stands: in a pod, and in templates of pods. */
function containersIn(value: Json): Json {
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      const isList = /^(?:containers|initContainers)$/.test(name) && Array.isArray(inner);
      return [
        name,
        isList ? inner.map((one: Json) => (isObject(one) ? withPorts(one) : one)) : containersIn(inner),
      ];
    }),
  );
}

function withPortsAt<Shape extends ClusterObject>(object: Shape, member: string): Shape {
  const inner = object[member];
  return isObject(inner) ? { ...object, [member]: withPorts(inner) } : object;
}

function withPorts(holder: JsonObject): JsonObject {
  const { ports } = holder;
  if (!Array.isArray(ports)) return holder;
  const whole = ports.map((port: Json) => (isObject(port) ? { protocol: 'TCP', ...port } : port));
  return { ...holder, ports: whole };
}
