import type { Amounts } from './amounts.ts';
import type { HostLimits } from './keeper.ts';

/** Limits of a single process: how many files, 512-byte blocks of a file, kilobytes of data and processes of its user. */
const order = ['files', 'blocks', 'data', 'processes'] as const;

/** In a shell: reads the words of `rlimitWords` into these variables, after the word that comes first. */
export const rlimitNames = order.map((name) => `PURVEYOR_GATE_${name}`).join(' ');

/**
 * In a shell: takes the limits on for itself and what it becomes. One that cannot be had is lower already. No process
 * leaves a core file: what was in its memory would lie there for others. A file that is too large is an error of the
 * program, as on a full disk, and not its end.
 */
export const takeRlimits = `
ulimit -c 0
trap '' XFSZ
[ "$PURVEYOR_GATE_files" = - ] || ulimit -n "$PURVEYOR_GATE_files" 2>/dev/null
[ "$PURVEYOR_GATE_blocks" = - ] || ulimit -f "$PURVEYOR_GATE_blocks" 2>/dev/null
[ "$PURVEYOR_GATE_data" = - ] || ulimit -d "$PURVEYOR_GATE_data" 2>/dev/null
[ "$PURVEYOR_GATE_processes" = - ] || ulimit -u "$PURVEYOR_GATE_processes" 2>/dev/null || ulimit -p "$PURVEYOR_GATE_processes" 2>/dev/null
unset ${rlimitNames}
`;

/** The limits of an instance as words, `-` for none. */
export function rlimitWords(limits: HostLimits | undefined): string {
  const { files, disk, memory, pids } = limits?.amounts ?? ({} satisfies Amounts as Amounts);
  const ways = limits?.keeper.ways;
  const words = {
    files,
    blocks: disk === undefined ? undefined : Math.ceil(disk / 512),
    data: ways?.memory === 'rlimits' ? dataOf(memory) : undefined,
    processes: ways?.pids === 'rlimits' ? pids : undefined,
  };
  return order.map((name) => words[name] ?? '-').join(' ');
}

/**
 * Of data, as Erlang and Java reserve address space that they never use. The stacks of threads count from their
 * beginning, so there is room for some beside what the limit allows.
 */
function dataOf(memory: number | undefined): number | undefined {
  return memory === undefined ? undefined : Math.ceil(memory / 1024) + stacks;
}

/** Kilobytes. */
const stacks = 64 * 1024;
