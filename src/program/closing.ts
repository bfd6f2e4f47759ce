/** What has been opened so far, to be closed in reverse. */
export interface Closing {
  /** Says how the latest one is closed. */
  add(close: () => Promise<void> | void): void;
  /** Closes all, each although another one could not be. @throws what the first that failed threw */
  close(): Promise<void>;
}

export function createClosing(): Closing {
  const closers: (() => Promise<void> | void)[] = [];
  return {
    add: (close) => void closers.push(close),
    async close() {
      const failures: unknown[] = [];
      for (const close of closers.splice(0).toReversed()) {
        try {
          await close();
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) throw failures[0];
    },
  };
}
