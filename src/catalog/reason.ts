/** What an error says of itself, whatever threw it. */
export function messageOf(error: unknown): string {
  const text: unknown =
    typeof error === 'object' && error !== null ? Reflect.get(error, 'message') : undefined;
  return typeof text === 'string' ? text.replace(/\.$/, '') : 'unknown reason';
}
