import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import type { Origin } from '../broker/records.ts';

/** Who has run the command, as this machine knows it. */
export function originOfHere(): Origin {
  return { protocol: 'cli', principal: userOfHere(), requestId: randomUUID() };
}

/** In a container a user may have a number and no name. */
function userOfHere(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.()}`;
  }
}
