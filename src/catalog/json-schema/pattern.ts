import { decided } from '../../broker/when-decided.ts';
import { findLinear, requireExpression } from './expressions.ts';
import { matchesBeside } from './match-beside.ts';

/** What a validator needs of a pattern. */
export interface Pattern {
  test(text: string): boolean;
  /** Names it: of equal patterns one is kept. */
  toString(): string;
}

/**
 * A regular expression of JSON Schema that never keeps this process busy. RE2 matches it in time proportional to
 * the text; what RE2 cannot do (look-around, back references) or would take long over is matched in a thread
 * beside, which is ended when it takes too long: that is a question of `whenDecided`.
 * @throws for what is no regular expression
 */
export function patternOf(pattern: string): Pattern {
  const linear = findLinear(pattern);
  // What cannot be read must be found when the offering is loaded.
  if (!linear) requireExpression(pattern);
  const size = linear?.programSize() ?? Infinity;
  return {
    test: (text) =>
      linear && size * text.length <= quick
        ? linear.test(text)
        : decided(JSON.stringify([pattern, text]), () => matchesBeside(pattern, text)),
    toString: () => pattern,
  };
}

/** Steps that take about a hundredth of a second. */
const quick = 1_000_000;
