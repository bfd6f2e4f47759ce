/**
 * The code of an error, of the system (`ENOENT`) or of Postgres (the SQLSTATE, `57P03`); empty when there is none. By
 * shape and not by class: Node's errors may be of another realm than ours.
 */
export function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const code: unknown = Reflect.get(error, 'code');
  return typeof code === 'string' ? code : '';
}

/** Is there no room left for what was to be written: on the disk, or by a quota or limit of it? */
export function isFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(codeOf(error));
}
