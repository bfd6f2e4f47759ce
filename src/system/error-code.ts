/** The code of an error of the system, `ENOENT`; by shape, for Node's errors may be of another realm than ours. */
export function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}
