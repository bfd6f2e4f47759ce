import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Making, Operating, ServicePlan } from '../../../src/broker/catalog.ts';
import type { Json, JsonObject } from '../../../src/broker/json.ts';
import type { Ports } from '../../../src/broker/nodes.ts';
import type { StepDone, Made, Provisioner, Step, Work } from '../../../src/broker/provisioner.ts';
import type { UnitFacts } from '../../../src/broker/units.ts';
import { type InstanceDirectory, instanceDirectory } from '../../../src/node/instance-directory.ts';
import type { LocalNode } from '../../../src/node/local-node.ts';
import { readIdentity } from '../../../src/system/process-identity.ts';
import { readStat } from '../../../src/system/proc.ts';
import { processes } from '../../../src/provisioners/process/index.ts';
import { memoryDatabase } from '../../../src/stores/memory/index.ts';
import { anInstance, aPlan } from '../../broker/fixtures.ts';
import { aTestNode } from '../../node/test-node.ts';

/** A node with a pool of ports and the provisioner on it: real directories and processes. */
export interface ProcessNode {
  readonly node: LocalNode;
  readonly ports: Ports;
  readonly provisioner: Provisioner;
  /** Puts an executable of the service author's into the catalog; gives what `run` says. */
  hook(name: string, text: string): string;
  close(): Promise<void>;
}

/** Another address for each of the test processes that run at once: their ports do not get in each other's way. */
export const address = `127.${1 + (process.pid >> 16)}.${(process.pid >> 8) & 255}.${process.pid & 255}`;

export async function aProcessNode(
  given: { host?: string; first?: number; last?: number; sandboxed?: boolean } = {},
): Promise<ProcessNode> {
  const { host = address, first = 21_000, last = 21_999, sandboxed = false } = given;
  const sandbox = { use: sandboxed ? 'required' : 'off', hidden: [], reads: [] } as const;
  const inner = await aTestNode({ host, bind: address, sandbox });
  const { node, place } = inner;
  const { nodes, ports } = memoryDatabase();
  const profile = {
    name: node.name,
    host,
    url: '',
    directory: node.directory,
    capacity: 1000,
    executables: [],
    isolation: node.isolation,
    allowsUnisolated: true,
  };
  await nodes.beat({ ...profile, ports: { first, last } }, 'test', 'test');
  const hooks = join(place, 'catalog', 'hooks', 'cache');
  mkdirSync(hooks, { recursive: true });
  return {
    node,
    ports,
    provisioner: processes({ node, ports }),
    hook(name, text) {
      writeFileSync(join(hooks, name), `#!/bin/sh\n${text}\n`);
      chmodSync(join(hooks, name), 0o755);
      return `./hooks/cache/${name}`;
    },
    close: () => inner.close(),
  };
}

const program = join(import.meta.dirname, 'server.mjs');

/** What an offering file says of the tiny server. */
export const config = {
  ports: ['main'],
  files: {
    'server.json':
      '{"host": "{{node.bind}}", "port": {{ports.main}}, "data": {{dir.data | json}}, ' +
      '"password": {{secrets.password | json}}, {{params.more}} "says": {{params.says | json}}}',
  },
  processes: {
    server: {
      run: [process.execPath, program, '{{dir.conf}}/server.json'],
      env: { COLOUR: 'blue' },
      ready: { port: 'main', send: 'PING\n', expect: 'PONG' },
    },
  },
} satisfies JsonObject;

export const making: Partial<Making> = {
  provisioner: 'process',
  config,
  secrets: { password: { per: 'instance', length: 20 } },
};

export function plan(
  changes: { making?: Partial<Making>; operating?: Partial<Operating> } = {},
): ServicePlan {
  return aPlan({ making: { ...making, ...changes.making }, operating: changes.operating ?? {} });
}

export const password = `a-very-secret-word-${process.pid}`;

/** The work of an operation, with what the core would give. */
export function work(
  id: string,
  of: ServicePlan = plan(),
  given: Partial<Work> & { params?: JsonObject } = {},
): Work {
  const { params = {}, ...rest } = given;
  return {
    operationId: `op-${id}`,
    instance: anInstance({ id }),
    plan: of,
    redact: (text) => text.replaceAll(password, '***'),
    signal: new AbortController().signal,
    ...rest,
    values: {
      params: { more: '', says: 'hello', ...params },
      plan: {},
      secrets: { password },
      instance: { id },
      binding: {},
      broker: { url: '' },
      deps: {},
      ...rest.values,
    },
  };
}

type Word = 'provision' | 'update' | 'deprovision' | 'bind' | 'unbind' | 'start' | 'stop' | 'restart';

export interface Done {
  readonly made: Made;
  /** The words of its timeline. */
  readonly did: readonly string[];
  readonly deeds: readonly StepDone[];
}

/** Takes all steps as the core does: each with a memo that has been through a store. */
export async function carry(provisioner: Provisioner, word: Word, first: Work): Promise<Done> {
  const deeds: StepDone[] = [];
  try {
    for (let now = first; ;) {
      const step = await takeStep(provisioner, word, now);
      if (step.did) deeds.push(step.did);
      if ('done' in step) return { made: step.done ?? {}, did: deeds.map(({ step: word }) => word), deeds };
      const { afterMs, memo } = step.again;
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      now = { ...now, memo: JSON.parse(JSON.stringify(memo)) as Json };
    }
  } catch (error) {
    throw Object.assign(error as Error, { did: deeds.map(({ step }) => step) });
  }
}

async function takeStep(provisioner: Provisioner, word: Word, now: Work): Promise<Step<Made | void>> {
  const able = word === 'start' || word === 'stop' || word === 'restart' ? provisioner.units : provisioner;
  const step = await (able as Partial<Record<Word, (work: Work) => Promise<Step<Made | void>>>>)[word]?.(now);
  if (!step) throw new Error(`The provisioner cannot ${word}.`);
  return step;
}

/** The work that follows on a provision: with the facts that it gave. */
export function following(first: Work, { made }: Done, given: Partial<Work> = {}): Work {
  return { ...first, ...given, values: { ...first.values, ...made.facts, ...given.values } };
}

export function portOf({ made }: Done, name = 'main'): number {
  return Number(((made.facts?.['ports'] ?? {}) as JsonObject)[name]);
}

export function directoryOf({ node }: ProcessNode, id: string): InstanceDirectory {
  return instanceDirectory(node, 'process', { id });
}

export function pidOf(testNode: ProcessNode, id: string, unit = 'server'): number {
  const identity = readIdentity(join(directoryOf(testNode, id).state, `unit-${unit}.json`));
  // A 0 would stand for all processes of the test run.
  if (!identity) throw new Error(`The unit ${unit} of ${id} was never started.`);
  return identity.pid;
}

/** How often the server of an instance was started, and as which processes. */
export function startsOf(testNode: ProcessNode, id: string): readonly string[] {
  return readFileSync(join(directoryOf(testNode, id).data, 'starts'), 'utf8')
    .trim()
    .split('\n');
}

/** Says a line to a server and gives the line that it answers. */
export function say(port: number, line: string, host = address): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    socket.setEncoding('utf8');
    socket.on('error', reject);
    socket.on('data', (text: string) => {
      socket.destroy();
      resolve(text.trim());
    });
    socket.write(`${line}\n`);
  });
}

/** The one unit of an instance, as it is seen. */
export async function look({ provisioner }: ProcessNode, of: Work): Promise<UnitFacts> {
  const [unit] = (await provisioner.units?.inspect(of)) ?? [];
  if (!unit) throw new Error('There is no unit.');
  return unit;
}

/** Is there a live process with this pid? */
export function isThere(pid: number): boolean {
  return readStat(pid)?.dead === false;
}
