/**
 * Checks that are made at once, but for a few questions that take time, such as whether a text matches a pattern
 * that could keep this process busy: those are asked beside, and the check is made again with their answers.
 */

/** What could not be found out within the time there is. */
export class Undecided extends Error {
  /** What the question was about; empty for the check as a whole. */
  readonly text: string;

  constructor(text: string) {
    super('A check takes too long.');
    this.name = 'Undecided';
    this.text = text;
  }
}

interface Run {
  readonly answers: Map<string, boolean>;
  readonly asked: Map<string, () => Promise<boolean>>;
}

let current: Run | undefined;

/** Milliseconds for all questions of one check. */
const limit = 10_000;

/**
 * What the check gives when all its questions are answered.
 * @param check makes the same questions of the same values; what it gives while one is open is dropped
 * @throws what the check throws; Undecided, when a question or all together take too long
 */
export async function whenDecided<Result>(check: () => Result): Promise<Result> {
  const answers = new Map<string, boolean>();
  for (const end = performance.now() + limit; ;) {
    const asked = new Map<string, () => Promise<boolean>>();
    const result = attempt(check, { answers, asked });
    if (asked.size === 0) {
      if ('error' in result) throw result.error;
      return result.value;
    }
    // One after another: nobody shall have all others wait.
    for (const [question, ask] of asked) {
      if (performance.now() > end) throw new Undecided('');
      answers.set(question, await ask());
    }
  }
}

/**
 * The answer to a question, true as long as it is open.
 * @param question names it: the same text is the same question
 */
export function decided(question: string, ask: () => Promise<boolean>): boolean {
  const answer = current?.answers.get(question);
  if (answer !== undefined) return answer;
  current?.asked.set(question, ask);
  return true;
}

function attempt<Result>(check: () => Result, run: Run): { value: Result } | { error: unknown } {
  const outer = current;
  current = run;
  try {
    return { value: check() };
  } catch (error) {
    return { error };
  } finally {
    current = outer;
  }
}
