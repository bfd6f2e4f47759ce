import type { Amounts, Controller } from './amounts.ts';

/** One directory in which each group of this node is a directory, with the files by which its limits are set. */
export interface Tree {
  readonly base: string;
  readonly controllers: readonly Controller[];
  /** The file of a group in which a process that writes 0 is moved there. */
  readonly door: string;
  /** The directory stays when nothing is in it: it was prepared once. */
  readonly isPrepared: boolean;
  /** What is to be written, in this order. */
  readonly settings: (amounts: Amounts) => readonly GroupSetting[];
  readonly counters: Readonly<Partial<Record<Counter, { readonly file: string; readonly word: string }>>>;
}

export interface GroupSetting {
  readonly file: string;
  readonly text: string;
  /** Kernels without swap accounting do not have it. */
  readonly optional?: boolean;
}

/** How often processes of a group were ended for want of memory, and how often none could be begun. */
export type Counter = 'memoryKills' | 'pidsRefused';

/** The one tree of version 2. */
export function treeOfV2(base: string, kept: readonly Controller[]): Tree {
  const settings = {
    memory: ({ memory }: Amounts) => [
      { file: 'memory.max', text: orMax(memory) },
      { file: 'memory.swap.max', text: memory === undefined ? 'max' : '0', optional: true },
    ],
    cpu: ({ cpu }: Amounts) => [{ file: 'cpu.max', text: `${orMax(quota(cpu))} ${period}` }],
    pids: pidsSettings,
  };
  return {
    base,
    controllers: kept,
    door: 'cgroup.procs',
    isPrepared: true,
    settings: (amounts) => kept.flatMap((one): readonly GroupSetting[] => settings[one](amounts)),
    counters: {
      memoryKills: kept.includes('memory') ? { file: 'memory.events', word: 'oom_kill' } : undefined,
      pidsRefused: kept.includes('pids') ? pidsCounter : undefined,
    },
  };
}

/** Version 1 has a tree for each controller. */
export function treeOfV1(base: string, controller: Controller): Tree {
  // Of a single thread that moves itself the kernel need not know what it does meanwhile.
  return { base, controllers: [controller], door: 'tasks', isPrepared: false, ...ofV1[controller] };
}

const period = 100_000;
const pidsCounter = { file: 'pids.events', word: 'max' };

const ofV1: Readonly<Record<Controller, Pick<Tree, 'settings' | 'counters'>>> = {
  memory: {
    settings: ({ memory = -1 }) => [
      // Memory with swap may never be less than memory, which may grow or shrink here.
      { file: 'memory.memsw.limit_in_bytes', text: '-1', optional: true },
      { file: 'memory.limit_in_bytes', text: String(memory) },
      { file: 'memory.memsw.limit_in_bytes', text: String(memory), optional: true },
    ],
    counters: { memoryKills: { file: 'memory.oom_control', word: 'oom_kill' } },
  },
  cpu: {
    settings: ({ cpu }) => [
      { file: 'cpu.cfs_period_us', text: String(period) },
      { file: 'cpu.cfs_quota_us', text: String(quota(cpu) ?? -1) },
    ],
    counters: {},
  },
  pids: { settings: pidsSettings, counters: { pidsRefused: pidsCounter } },
};

function pidsSettings({ pids }: Amounts): readonly GroupSetting[] {
  return [{ file: 'pids.max', text: orMax(pids) }];
}

/** Microseconds of each period; the kernel takes no less than a thousand. */
function quota(cpu: number | undefined): number | undefined {
  return cpu === undefined ? undefined : Math.max(1000, Math.round(cpu * period));
}

function orMax(amount: number | undefined): string {
  return amount === undefined ? 'max' : String(amount);
}
