import { Refusal } from '../errors.ts';
import type { Json, JsonObject } from '../json.ts';
import { positionIn } from '../template.ts';
import { Undecided, whenDecided } from '../when-decided.ts';

/**
 * What a check of parameters gives when all patterns are matched.
 * @throws Refusal invalid, which names the parameter, when a pattern takes too long over it
 */
export async function decideParameters<Result>(parameters: JsonObject, check: () => Result): Promise<Result> {
  try {
    return await whenDecided(check);
  } catch (error) {
    if (!(error instanceof Undecided)) throw error;
    const at = placeOfText(parameters, error.text, '');
    const subject = at ? `The parameter '${at.slice(0, 80)}' takes` : 'The parameters take';
    throw new Refusal(
      'invalid',
      `${subject} too long to be checked. Try a shorter or simpler value.`,
      'parameters',
    );
  }
}

/** Of a text or a name. */
function placeOfText(value: Json, text: string, at: string): string | undefined {
  if (value === text) return at;
  if (typeof value !== 'object' || value === null) return undefined;
  const isList = Array.isArray(value);
  for (const [name, inner] of Object.entries(value) as [string, Json][]) {
    const place = positionIn(at, isList ? Number(name) : name);
    const found = !isList && name === text ? place : placeOfText(inner, text, place);
    if (found !== undefined) return found;
  }
  return undefined;
}
