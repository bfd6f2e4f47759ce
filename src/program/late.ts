/**
 * Stands for something that is not there yet, so that others can be given it already. Its methods find the
 * real one when they are called, or throw what `find` throws.
 */
export function late<Thing extends object>(find: () => Thing): Thing {
  return new Proxy({} as Thing, {
    get:
      (_target, name) =>
      (...given: unknown[]): unknown =>
        (find() as Record<PropertyKey, (...given: unknown[]) => unknown>)[name]?.(...given),
  });
}
