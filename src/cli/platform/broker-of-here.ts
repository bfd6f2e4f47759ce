import type { OsbClient } from '../../protocols/osb/client.ts';

/** Speaks, as a platform does, to the broker that runs with the same variables as this command. */
export async function brokerOfHere(): Promise<OsbClient> {
  const { openPlatformClient } = await import('./open-platform-client.ts');
  return openPlatformClient();
}
