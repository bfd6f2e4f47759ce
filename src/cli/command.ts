/** One command of the program. */
export interface CliCommand {
  /** Its words, e.g. `catalog lint`, then its arguments as commander writes them: `[directories...]`. */
  readonly usage: string;
  readonly description: string;
  /** What may stand behind it, by how commander writes it: `--lines <number>`. */
  readonly options?: Readonly<Record<string, string>>;
  /** Is it what the program does when no command is given? */
  readonly standard?: boolean;
  /** Gives the exit code; an Error it throws is shown to the operator and ends in exit code 1. */
  run(args: readonly string[], options: CliOptions): Promise<number>;
}

/** The options that were given, by the name in `--name`; one that takes no value is there or not. */
export type CliOptions = Readonly<Record<string, string | undefined>>;
