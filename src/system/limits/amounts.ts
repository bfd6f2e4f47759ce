/** What an instance may take at most, its processes together; what is absent is not limited. */
export interface Amounts {
  /** Bytes. */
  readonly memory?: number;
  /** Cores: 0.5 is half of the time of one. */
  readonly cpu?: number;
  /** Processes and threads. */
  readonly pids?: number;
  /** Files that each process may have open. */
  readonly files?: number;
  /** Bytes that its directory may hold; no single file of it grows beyond. */
  readonly disk?: number;
}

/** What a group of the kernel can keep of them. */
export type Controller = 'memory' | 'cpu' | 'pids';

export const controllers: readonly Controller[] = ['memory', 'cpu', 'pids'];

/** Rounded up, so that more than a limit never looks like the limit. */
export function inMegabytes(bytes: number): number {
  return Math.ceil(bytes / 1024 / 1024);
}
