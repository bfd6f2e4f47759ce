import { Failure } from '../../broker/errors.ts';

/** What only the operator can mend; the detail says what it is. */
export function broken(detail: string): Failure {
  return new Failure(
    'storage',
    'The storage of this service is not available. Its operator must look after it.',
    {
      detail,
    },
  );
}
