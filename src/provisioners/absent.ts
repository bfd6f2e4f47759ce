/**
 * Stands for something that this program does not have: whoever uses it gets this sentence as an Error.
 * @param known what of it is known all the same
 */
export function absent<Thing extends object>(sentence: string, known: Partial<Thing> = {}): Thing {
  return new Proxy(known as Thing, {
    get(_known, name) {
      if (Object.hasOwn(known, name)) return known[name as keyof Thing];
      throw new Error(sentence);
    },
  });
}
