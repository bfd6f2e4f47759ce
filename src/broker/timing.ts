/** The value, or undefined when time is over first. */
export async function withinTime<Value>(
  value: Promise<Value> | undefined,
  ms: number,
): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race(value ? [value, over] : [over]);
  } finally {
    clearTimeout(timer);
  }
}
