import { readFileSync } from 'node:fs';
import { jsonObject, WrongValue, type Kind } from '../../config/kinds.ts';
import { option } from '../parameters.ts';

/** Parameters of a user, as every command takes them. */
export const parametersOption = option(
  '-p, --parameters <json>',
  parametersText(),
  'a JSON object, or the path of a file with one',
);

/** For whoever needs to see a difference. */
export const otherParametersOption = option(
  '--other-parameters <json>',
  parametersText(),
  'others that are as good, by which a change is tried',
);

/** A JSON object as it stands, or the path of a file that holds one. */
function parametersText(): Kind<Readonly<Record<string, unknown>>> {
  return {
    secret: true,
    read: (text, name) => jsonObject().read(isJson(text) ? text : fileText(text), name),
  };
}

function isJson(text: string): boolean {
  return /^\s*[[{"]/.test(text);
}

function fileText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new WrongValue('must be a JSON object, or the path of a file with one', { cause: error });
  }
}
