import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { connect as connectInTls } from 'node:tls';
import { writePrivatelySync } from '../../src/system/private-file.ts';
import type { Bought, Bound } from './shop.ts';

/** What is remembered of the certificate of an instance, in its directory of state. */
export function markOf({ directory }: Bought): {
  readonly file: string;
  readonly value: Record<string, unknown>;
} {
  const file = join(directory.state, 'certificate.json');
  return { file, value: JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown> };
}

/** The serial of the certificate that is served, verified by the credentials; undefined while nobody answers. */
export async function servedBy({ credentials, port }: Bound, opening?: Buffer): Promise<string | undefined> {
  const { host, ca } = credentials;
  const plain = connect(port, host);
  try {
    if (opening) {
      await once(plain, 'data');
      if (opening.length > 0) plain.write(opening);
    }
    const socket = connectInTls({ socket: plain, host, ca });
    await once(socket, 'secureConnect');
    return socket.getPeerCertificate().serialNumber;
  } catch {
    return undefined;
  } finally {
    plain.destroy();
  }
}

/** As when two thirds of its life are over. */
export function makeDue(bought: Bought): void {
  const { file, value } = markOf(bought);
  writePrivatelySync(file, JSON.stringify({ ...value, renewAt: new Date(Date.now() - 1000).toISOString() }));
}
