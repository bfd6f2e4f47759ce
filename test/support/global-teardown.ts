import { rmSync } from 'node:fs';

export default async function tearDown(): Promise<void> {
  const { scratch, embedded } = globalThis.testRun;
  await embedded?.stop();
  rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
}
