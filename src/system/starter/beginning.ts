/**
 * A process that is to be begun, in a session of its own and with a pipe at its descriptor 3, the gate. It writes
 * something there when it has gone through its doors.
 */
export interface Beginning {
  /** The program and its arguments. */
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  /** Files that it has open as its descriptors from 4 on, see `Groups`. */
  readonly doors: readonly string[];
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** One that has begun and waits at its gate. */
export interface Begun {
  readonly pid: number;
  /** Writes this into the gate and closes it. */
  readonly open: (text: string) => void;
  /** Closes the gate. */
  readonly close: () => void;
  /** Undefined as long as it runs; nothing is known of its end when the starter's process has gone. */
  readonly ended: () => Exit | undefined;
}

/**
 * Begins a process whose output goes to the end of a log.
 * @param log a descriptor of this process
 * @returns undefined when it cannot be begun in this way, and nothing has been begun that goes past its gate
 * @throws the error of the system that says why there is no process
 */
export type Starter = (it: Beginning, log: number) => Promise<Begun | undefined>;

/** What the program is told. */
export type Order =
  | { readonly id: number; readonly begin: Beginning & { readonly log: string } }
  | { readonly id: number; readonly open: string }
  | { readonly id: number; readonly close: true };
