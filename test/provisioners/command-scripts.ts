// The command provisioner on a node of its own, with hooks that are scripts.
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Hook, Operating } from '../../src/broker/catalog.ts';
import type { JsonObject } from '../../src/broker/json.ts';
import { keyOf } from '../../src/broker/key.ts';
import type { Ports } from '../../src/broker/nodes.ts';
import type { StepDone, Provisioner, Step, Work } from '../../src/broker/provisioner.ts';
import { instanceDirectory } from '../../src/node/instance-directory.ts';
import { launch } from '../../src/system/launch.ts';
import { writeMarkSync } from '../../src/node/state-files.ts';
import { command } from '../../src/provisioners/command/index.ts';
import { aPlan } from '../broker/fixtures.ts';
import { aTestNode, type TestNode } from '../node/test-node.ts';
import { aWork } from './contract.ts';

/** The node, made anew for each test. */
export let testNode: TestNode;
export let provisioner: Provisioner;
export let numbers: ReturnType<typeof somePorts>;

/** Makes the node and the provisioner on it for each test of a file. */
export function onEachNode(): void {
  beforeEach(async () => {
    testNode = await aTestNode();
    numbers = somePorts(3);
    provisioner = command({ node: testNode.node, ports: numbers.ports });
  });
  afterEach(() => testNode.close());
}

/** So many ports, from 20000 on. */
export function somePorts(count: number) {
  const owners = new Map<number, string>();
  const has = (owner: string) => [...owners].find(([, who]) => who === owner)?.[0];
  const ports: Ports = {
    async take(_node, instanceId, names) {
      const taken = names.map((name) => {
        const owner = `${instanceId} ${name}`;
        const free = Array.from({ length: count }, (_, index) => 20_000 + index).find(
          (one) => !owners.has(one),
        );
        const port = has(owner) ?? free;
        if (port !== undefined) owners.set(port, owner);
        return [name, port] as const;
      });
      if (taken.some(([, port]) => port === undefined)) return undefined;
      return Object.fromEntries(taken) as Record<string, number>;
    },
    replace: async () => undefined,
    async release(_node, instanceId) {
      for (const [port, owner] of owners) if (owner.startsWith(`${instanceId} `)) owners.delete(port);
    },
  };
  return { ports, owners };
}

/** An executable in the catalog; a hook that runs it. */
export function script(name: string, text: string, rest: Partial<Hook> = {}, place = testNode.place): Hook {
  const path = `hooks/cache/${name}`;
  const file = join(place, 'catalog', path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o755);
  return { run: [`./${path}`], env: {}, once: false, ...rest };
}

/** Hooks of these names and texts, each of which also notes that it ran. */
export function scripts(texts: Readonly<Record<string, string>>): Record<string, Hook> {
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [
      name,
      script(name, `echo ${name} >> ${ranFile()}\n${text}`),
    ]),
  );
}

export function ranFile(): string {
  const file = join(testNode.place, 'ran');
  if (!existsSync(file)) {
    writeFileSync(file, '');
    chmodSync(file, 0o666);
  }
  return file;
}

export const ran = () => readFileSync(ranFile(), 'utf8').split('\n').filter(Boolean);

interface Parts {
  readonly hooks?: Readonly<Record<string, Hook>>;
  readonly operating?: Partial<Operating>;
  readonly config?: JsonObject;
  readonly values?: JsonObject;
  readonly bindingId?: string;
  readonly instanceId?: string;
}

export function workWith({ hooks = {}, operating = {}, config = {}, ...rest }: Parts): Work {
  const plan = aPlan({ making: { provisioner: 'command', config }, operating: { hooks, ...operating } });
  return aWork({ plan, ...rest });
}

/** Step after step without the pauses; the timeline, and what was made. */
export async function carry(take: (work: Work) => Promise<Step<unknown>> | undefined, first: Work) {
  const timeline: StepDone[] = [];
  const pauses: number[] = [];
  for (let work = first; ;) {
    const step = await take(work);
    if (!step) throw new Error('This cannot be done.');
    if (step.did) timeline.push(step.did);
    if ('done' in step) return { made: step.done as { facts?: JsonObject } | undefined, timeline, pauses };
    pauses.push(step.again.afterMs);
    work = { ...work, memo: step.again.memo };
  }
}

export const provision = (work: Work) => carry((it) => provisioner.provision(it), work);
export const update = (work: Work) => carry((it) => provisioner.update?.(it), work);
export const deprovision = (work: Work) => carry((it) => provisioner.deprovision(it), work);
/** A hook of the instance that a dead broker has left running. */
export async function launchLeft() {
  const directory = instanceDirectory(testNode.node, 'command', { id: 'i1' });
  const hook = await launch(testNode.node, {
    command: ['sleep', '60'],
    cwd: directory.data,
    env: { PATH: testNode.node.path, PURVEYOR_INSTANCE: 'i1' },
    identityFile: join(directory.state, 'left.json'),
    logFile: join(directory.log, 'left.log'),
  });
  writeMarkSync(directory, 'runs-configure-1', {
    hook: { ...hook },
    broker: { pid: 1, startTime: '1', bootId: 'before' },
  });
  return hook;
}

export const names = (timeline: readonly StepDone[]) => timeline.map(({ step }) => step);
export const dataOf = (id = 'i1') => join(testNode.node.directory, 'command', keyOf(id), 'data');
