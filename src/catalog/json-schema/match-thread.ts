/** Runs in a thread of its own, which is ended when a pattern takes too long. */
import { parentPort } from 'node:worker_threads';
import { findLinear, requireExpression } from './expressions.ts';

const compiled = new Map<string, { test(text: string): boolean }>();
const mostKept = 200;

parentPort?.on('message', ({ pattern, text }: { readonly pattern: string; readonly text: string }) => {
  parentPort?.postMessage(expressionOf(pattern).test(text));
});
// Ready: what has to be loaded is loaded.
parentPort?.postMessage(true);

function expressionOf(pattern: string): { test(text: string): boolean } {
  const known = compiled.get(pattern);
  if (known) return known;
  if (compiled.size >= mostKept) compiled.clear();
  const expression = findLinear(pattern) ?? requireExpression(pattern);
  compiled.set(pattern, expression);
  return expression;
}
