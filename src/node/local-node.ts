/** What this broker is as a node: where local things are on this machine, and who runs them. */
export interface LocalNode {
  readonly name: string;
  /** The address under which applications reach what runs here. */
  readonly host: string;
  /** The address that programs listen on, `{{node.bind}}`. */
  readonly bind: string;
  /** All that is made here lies below it. */
  readonly directory: string;
  /** Who runs programs and owns directories; absent: the broker's own user. */
  readonly account?: Account;
  /** PATH of everything that is started, and where executables are looked for. */
  readonly path: string;
  /** The catalog's directories: hooks lie there, as `hooks/<offering>/<file>`. */
  readonly catalogDirs: readonly string[];
}

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}
