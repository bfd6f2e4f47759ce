import { randomBytes } from 'node:crypto';

/** A secret that can be found again wherever it turns up, with signs that most encodings change. */
export function canary(name: string): string {
  return `canary-${name}-${randomBytes(9).toString('hex')} /+%"é`;
}

/** Does the text hold the secret, plainly or in an encoding that anybody can undo? */
export function holds(text: string, secret: string): boolean {
  return formsOf(secret).some((form) => text.includes(form));
}

function formsOf(secret: string): readonly string[] {
  const plain = [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    new URLSearchParams([['', secret]]).toString().slice(1),
    Buffer.from(secret).toString('hex'),
  ];
  // Something may have been encoded before it in the same breath: a user name, or a whole document.
  const encoded = ['', '.', '..'].map((before) => insideBase64(before, secret));
  return [...plain, ...encoded, ...encoded.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'))];
}

/** What base64 makes of the secret alone, whatever stands before and after it. */
function insideBase64(before: string, secret: string): string {
  const encoded = Buffer.from(before + secret).toString('base64');
  // Each sign stands for six bits; the first and the last ones are not only of the secret.
  return encoded.slice(Math.ceil((before.length * 8) / 6), -4);
}
