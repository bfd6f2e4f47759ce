/** How one step of a trial has ended. */
export interface TrialStep {
  readonly step: string;
  readonly result: 'passed' | 'failed' | 'skipped';
  /** Milliseconds; absent for what was skipped. */
  readonly ms?: number;
  /** Why it failed or was skipped, or what is worth knowing. */
  readonly detail?: string;
}

/** What a step gives: a word on it, or nothing; what it throws is why it failed. */
export type TrialDeed = () => Promise<string | undefined | void>;

export interface Trial {
  /** Does it, unless one before has failed. */
  step(name: string, deed: TrialDeed): Promise<void>;
  /** Says why it is not done, unless one before has failed. */
  skip(name: string, reason: string): void;
  /** Does it also after a failure: what takes away. */
  always(name: string, deed: TrialDeed): Promise<void>;
  readonly steps: readonly TrialStep[];
  hasFailed(): boolean;
}

/** @param onStep is told of each step when it has ended */
export function openTrial(onStep: (step: TrialStep) => void): Trial {
  const steps: TrialStep[] = [];
  const add = (step: TrialStep): void => {
    steps.push(step);
    onStep(step);
  };
  const hasFailed = (): boolean => steps.some(({ result }) => result === 'failed');
  async function always(name: string, deed: TrialDeed): Promise<void> {
    const began = performance.now();
    const ended = await deed().then(
      (detail) => ({ result: 'passed', detail: detail ?? undefined }) as const,
      (error: unknown) => ({ result: 'failed', detail: sentenceOf(error) }) as const,
    );
    add({ step: name, ms: Math.round(performance.now() - began), ...ended });
  }
  return {
    steps,
    hasFailed,
    always,
    step: async (name, deed) => (hasFailed() ? undefined : always(name, deed)),
    skip(name, reason) {
      if (!hasFailed()) add({ step: name, result: 'skipped', detail: reason });
    },
  };
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
