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

/** Has the machine, or this process, no room for it at the moment: no descriptor, no memory, no further process? */
export function isShortage(error: unknown): boolean {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  return [error, cause].some((one) => shortages.has(codeOf(one)));
}

const shortages: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EAGAIN']);
