import { BadCall } from '../protocols/protocol.ts';

const mostFields = 10_000;

/** Reads `name=value&...` as browsers send it (URL Standard, application/x-www-form-urlencoded). Throws BadCall 400. */
export function readForm(bytes: Uint8Array): URLSearchParams {
  // Percent-encoding leaves only ASCII; what else is there is read as it stands, and refused when it is no UTF-8.
  const fields = new URLSearchParams(decode(bytes));
  if (fields.size > mostFields) throw new BadCall(400, `The form has more than ${mostFields} fields.`);
  for (const [name, value] of fields) {
    if (`${name}${value}`.includes('\uFFFD'))
      throw new BadCall(400, 'The form is not percent-encoded UTF-8.');
  }
  return fields;
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).trim();
  } catch {
    throw new BadCall(400, 'The request body is not valid UTF-8.');
  }
}
