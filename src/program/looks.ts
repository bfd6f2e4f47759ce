/** RepeatedLooks again and again at something that may have changed. */
export interface RepeatedLooks {
  /** RepeatedLooks now, and tells what is wrong whether it was told before or not. */
  reload(): Promise<void>;
  close(): void;
}

/**
 * One look at a time, also where a file system hangs. No notice of the system is sure to come, as from a file system of
 * the network.
 */
export function createLooks(look: (isAsked: boolean) => Promise<void>, pauseMs = 2000): RepeatedLooks {
  let running: Promise<void> | undefined;
  function begin(isAsked: boolean): Promise<void> {
    running = look(isAsked).finally(() => (running = undefined));
    return running;
  }
  const timer = setInterval(() => void (running ?? begin(false)), pauseMs).unref();
  return {
    reload: () => (running ?? Promise.resolve()).then(() => begin(true)),
    close: () => clearInterval(timer),
  };
}
