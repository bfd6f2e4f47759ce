import type { Json } from '../../broker/json.ts';
import { BadCall } from '../../protocols/protocol.ts';
import type { EchoFacts } from './facts.ts';

/** Echo gives any message back as it was; invert turns a string round and refuses everything else. */
export function answerTo(message: Json, answer: EchoFacts['answer']): Json {
  if (answer === 'echo') return message;
  if (typeof message !== 'string') throw new BadCall(400, 'The message must be a string to be inverted.');
  return invert(message);
}

/** Made for the first one: it takes 20 ms. */
let segmenter: Intl.Segmenter | undefined;

/** By visible character: accents, emoji with a skin colour and flags stay whole. */
function invert(text: string): string {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  return Array.from(segmenter.segment(text), ({ segment }) => segment)
    .toReversed()
    .join('');
}
