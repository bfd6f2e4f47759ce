import { rmSync } from 'node:fs';

export default async function tearDown(): Promise<void> {
  const server = globalThis.testServer;
  if (!server) return;
  await server.embedded.stop();
  rmSync(server.dataDir, { recursive: true, force: true });
}
