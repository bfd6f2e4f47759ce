/** What an error says of itself, whatever threw it. */
export function messageOf(error: unknown): string {
  return textIn(error, 'message').replace(/\.$/, '');
}

/** The system's name for what went wrong, e.g. ENOENT. */
export function codeOf(error: unknown): string {
  return textIn(error, 'code');
}

function textIn(error: unknown, member: string): string {
  const text: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, member) : undefined;
  return typeof text === 'string' ? text : 'unknown reason';
}
