import { createHash } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { canonicalJson, type JsonObject, jsonOf } from '../../../broker/json.ts';
import type { InstanceContext } from '../../../node/instance-context.ts';
import type { UnitBlueprint } from '../files/blueprint.ts';
import { labels, labelsOf, networkName } from './names.ts';

/** Bytes of what is kept of a unit's output, twice: the file that is written, and the one before. */
const longestLog = '10m';
/** Bytes of `/tmp`, which is in memory. */
const temporary = 64 * 1024 * 1024;

/**
 * All that a container is made from, with a mark of it among its labels: one that was made from the same is started
 * again, another is made anew. Holds secrets.
 * @param image its id: a name may stand for another one tomorrow
 */
export async function specOf(
  context: InstanceContext,
  unit: string,
  blueprint: UnitBlueprint,
  image: string,
): Promise<JsonObject> {
  const { node, directory } = context;
  const account = node.account ?? { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const published = await publishedOn(node.bind, blueprint.publish ?? []);
  const spec = jsonOf({
    Image: image,
    Entrypoint: [...blueprint.run],
    Cmd: [],
    User: `${account.uid}:${account.gid}`,
    WorkingDir: directory[blueprint.cwd],
    Env: Object.entries(environmentIn(context, unit, blueprint)).map(([name, value]) => `${name}=${value}`),
    ExposedPorts: Object.fromEntries(Object.keys(published).map((port) => [port, {}])),
    // Readiness is asked from outside, at the address of applications.
    Healthcheck: { Test: ['NONE'] },
    HostConfig: hostConfigOf(context, blueprint, published),
    NetworkingConfig: { EndpointsConfig: { [networkName(context)]: { Aliases: [unit] } } },
  });
  const mark = createHash('sha256').update(canonicalJson(spec)).digest('hex');
  return { ...spec, Labels: { ...labelsOf(context), [labels.unit]: unit, [labels.mark]: mark } };
}

/** All that programs inside have in their environment, beside what their image says. */
function environmentIn(
  { directory, work }: InstanceContext,
  unit: string,
  { env }: UnitBlueprint,
): Readonly<Record<string, string>> {
  return {
    LANG: 'C.UTF-8',
    HOME: directory.data,
    ...env,
    PURVEYOR_INSTANCE: work.instance.id,
    PURVEYOR_UNIT: unit,
  };
}

/** It sees its image, which it cannot write, and the directories of its instance at the same paths as outside. */
function hostConfigOf(
  context: InstanceContext,
  { limits = {} }: UnitBlueprint,
  published: JsonObject,
): JsonObject {
  const { conf, data, log, run } = context.directory;
  const { memory, cpu, pids, files } = limits;
  return jsonOf({
    Mounts: [conf, data, log, run].map((path) => ({ Type: 'bind', Source: path, Target: path })),
    NetworkMode: networkName(context),
    PortBindings: published,
    // The monitor starts again what is dead, and the broker what shall run after a start of the machine.
    RestartPolicy: { Name: 'no' },
    ReadonlyRootfs: true,
    Tmpfs: { '/tmp': `rw,nosuid,nodev,noexec,mode=1777,size=${temporary}` },
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges'],
    LogConfig: { Type: 'json-file', Config: { 'max-size': longestLog, 'max-file': '2' } },
    Memory: memory,
    MemorySwap: memory,
    NanoCpus: cpu === undefined ? undefined : Math.round(cpu * 1e9),
    PidsLimit: pids,
    Ulimits: files === undefined ? undefined : [{ Name: 'nofile', Soft: files, Hard: files }],
  });
}

/** Each port has the number outside that it has inside. */
async function publishedOn(bind: string, ports: readonly number[]): Promise<JsonObject> {
  const address = isIP(bind) === 0 ? (await lookup(bind)).address : bind;
  return Object.fromEntries(
    ports.map((port) => [`${port}/tcp`, [{ HostIp: address, HostPort: String(port) }]]),
  );
}
