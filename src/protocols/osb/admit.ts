import { BadCall } from '../protocol.ts';

/**
 * Minor versions only add (spec.md, Change Policy), so everything from 2.3 up is served alike.
 * Throws BadCall 400 without a readable version, 412 for one that is not served (spec.md, API Version Header).
 */
export function admitVersion(version: string | undefined, acceptMissing: boolean): void {
  if (!version) {
    if (acceptMissing) return;
    throw new BadCall(
      400,
      'The header X-Broker-API-Version is missing. This broker serves 2.3 and later 2.x.',
    );
  }
  const [, major, minor] = /^(\d{1,9})\.(\d{1,9})$/.exec(version.trim()) ?? [];
  if (major === undefined || minor === undefined) {
    throw new BadCall(400, 'The header X-Broker-API-Version must be a version such as 2.17.');
  }
  if (Number(major) === 2 && Number(minor) >= 3) return;
  const asked = `${Number(major)}.${Number(minor)}`;
  throw new BadCall(
    412,
    `This broker serves X-Broker-API-Version 2.3 and later 2.x, but the request has ${asked}.`,
  );
}
