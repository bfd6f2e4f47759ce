/** One command of the program. */
export interface CliCommand {
  /** Its words, e.g. `catalog lint`, then its arguments as commander writes them: `[directories...]`. */
  readonly usage: string;
  readonly description: string;
  /** Is it what the program does when no command is given? */
  readonly standard?: boolean;
  /** Gives the exit code; an Error it throws is shown to the operator and ends in exit code 1. */
  run(args: readonly string[]): Promise<number>;
}
