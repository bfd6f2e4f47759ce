import { randomInt } from 'node:crypto';
import { portQuarantine, portRest, type Ports } from '../../broker/nodes.ts';
import type { PortRow, Tables } from './tables.ts';

export function portsOf(tables: Tables): Ports {
  const { ports, now } = tables;
  return {
    async take(node, instanceId, names) {
      const had = owned(tables, node, instanceId);
      const wanted = [...new Set(names)].filter((name) => !had.has(name));
      const free = freePorts(tables, node);
      if (free.length < wanted.length) return undefined;
      for (const name of wanted) had.set(name, takeOne(tables, free, { node, instanceId, name }));
      return Object.fromEntries(names.map((name) => [name, Number(had.get(name))]));
    },
    async replace(node, instanceId, name) {
      const old = owned(tables, node, instanceId).get(name);
      if (old !== undefined) put(ports, { node, port: old, freeAt: now() + portQuarantine });
      const free = freePorts(tables, node);
      return free.length > 0 ? takeOne(tables, free, { node, instanceId, name }) : undefined;
    },
    async release(node, instanceId) {
      for (const port of owned(tables, node, instanceId).values()) {
        put(ports, { node, port, freeAt: now() + portRest });
      }
    },
  };
}

/** The ports of an instance, by name. */
function owned({ ports }: Tables, node: string, instanceId: string): Map<string, number> {
  const own = [...ports.values()].flatMap(({ node: where, port, owner }) =>
    where === node && owner?.instanceId === instanceId ? [[owner.name, port] as const] : [],
  );
  return new Map(own);
}

function freePorts({ nodes, ports, now }: Tables, node: string): number[] {
  const range = nodes.get(node)?.profile.ports;
  if (!range) return [];
  const all = Array.from({ length: range.last - range.first + 1 }, (_, index) => range.first + index);
  return all.filter((port) => {
    const row = ports.get(keyOfPort(node, port));
    return !row || (row.freeAt !== undefined && row.freeAt <= now());
  });
}

/** A random one, which is free no more. */
function takeOne(
  { ports }: Tables,
  free: number[],
  { node, instanceId, name }: { node: string; instanceId: string; name: string },
): number {
  const [port = 0] = free.splice(randomInt(free.length), 1);
  put(ports, { node, port, owner: { instanceId, name } });
  return port;
}

function put(ports: Map<string, PortRow>, row: PortRow): void {
  ports.set(keyOfPort(row.node, row.port), row);
}

function keyOfPort(node: string, port: number): string {
  return JSON.stringify([node, port]);
}
