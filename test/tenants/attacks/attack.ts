import type { Holding } from '../market.ts';

/** What a tenant tries, with nothing but the credentials of a binding and what the program itself can do. */
export interface Attack {
  /** What is tried; it completes the sentence "refuses to ...". */
  readonly to: string;
  /** Gives, or throws, whatever could be had by it. */
  readonly try: (scene: Scene) => Promise<unknown>;
  /** How the program says no, somewhere in what was had. */
  readonly refusal: RegExp;
}

export interface Scene {
  readonly mine: Holding;
  readonly neighbour: Holding;
  /** Files that hold a secret: the neighbour's, and the broker's own. */
  readonly paths: readonly string[];
}

/** All that is tried against one offering. */
export interface Attacks {
  readonly plan: string;
  /** Puts the secret into what the holding has, and reads it back: so the login and the client are good. */
  readonly plant: (holding: Holding, secret: string) => Promise<void>;
  readonly attacks: readonly Attack[];
}

/** What was had, as text: also what an error holds. */
export function textOf(had: unknown): string {
  if (had instanceof Error) return `${had.name}: ${had.message} ${JSON.stringify(had)}`;
  if (Buffer.isBuffer(had)) return had.toString('latin1');
  if (Array.isArray(had)) return had.map(textOf).join('\n');
  if (typeof had === 'string') return had;
  return JSON.stringify(had) ?? 'nothing';
}

/** Does all of it, one after the other, and gives what was had each time, also of what failed. */
export async function tryEach<Input>(
  inputs: readonly Input[],
  attempt: (input: Input) => Promise<unknown>,
): Promise<readonly unknown[]> {
  const had: unknown[] = [];
  for (const input of inputs) had.push(await attempt(input).catch((error: unknown) => error));
  return had;
}
