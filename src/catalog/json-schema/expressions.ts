import { RE2JS } from 're2js';
import { withShortRepeats } from './repeats.ts';

/** The pattern for RE2; undefined when RE2 cannot do it. */
export function findLinear(pattern: string): RE2JS | undefined {
  try {
    return RE2JS.compile(RE2JS.translateRegExp(withShortRepeats(pattern)));
  } catch {
    return undefined;
  }
}

/** As JSON Schema has it, by the rules of ECMAScript: with Unicode, or as older ones were written. @throws SyntaxError */
export function requireExpression(pattern: string): RegExp {
  try {
    return new RegExp(pattern, 'u');
  } catch {
    return new RegExp(pattern);
  }
}
