/**
 * The code of an error of the system (`ENOENT`) or of Postgres (`57P03`). By shape and not by class: in jest, Node's
 * own errors are of another realm than our `Error`.
 */
export function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}
