import { platformOf } from '../../../broker/key.ts';
import { BadCall } from '../../protocol.ts';
import type { Session } from '../session.ts';

/** Milliseconds that the platform has for its answer, and for which that counts. */
const [askMs, countsMs] = [10_000, 60_000];
/** Answers that are remembered. */
const mostRemembered = 1000;

/** The platform's own sign-in is over. */
export class SignedOut extends BadCall {
  constructor() {
    super(401, 'The platform does not accept your sign-in any more. Open the dashboard again.');
    this.name = 'SignedOut';
  }
}

/**
 * May somebody see this instance, by the word of Cloud Controller? It is asked again after a minute.
 * @throws SignedOut, or BadCall 503 when nobody can say
 */
export type Permissions = (
  of: Pick<Session, 'id' | 'instanceId'> & { readonly token: string },
) => Promise<boolean>;

export function createPermissions(cloudController: string): Permissions {
  const known = new Map<string, { readonly may: Promise<boolean>; readonly at: number }>();
  return (session) => {
    const found = known.get(session.id);
    if (found && performance.now() - found.at < countsMs) return found.may;
    const may = ask(cloudController, session);
    known.delete(session.id);
    known.set(session.id, { may, at: performance.now() });
    for (const oldest of known.keys()) {
      if (known.size <= mostRemembered) break;
      known.delete(oldest);
    }
    may.catch(() => known.delete(session.id));
    return may;
  };
}

/** The older form is asked where the newer one is not there. */
async function ask(
  cloudController: string,
  { instanceId, token }: Parameters<Permissions>[0],
): Promise<boolean> {
  const { platformId } = platformOf(instanceId);
  // No platform names an instance so, and it would be another question.
  if (platformId === '.' || platformId === '..') return false;
  const path = `service_instances/${encodeURIComponent(platformId.toWellFormed())}/permissions`;
  const newer = await answerOf(`${cloudController}/v3/${path}`, token);
  return newer ?? (await answerOf(`${cloudController}/v2/${path}`, token)) ?? false;
}

/** Undefined: there is no such thing there. */
async function answerOf(address: string, token: string): Promise<boolean | undefined> {
  try {
    const answer = await fetch(address, {
      headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
      redirect: 'error',
      signal: AbortSignal.timeout(askMs),
    });
    if (answer.ok) {
      const { read, manage } = (await answer.json()) as {
        readonly read?: unknown;
        readonly manage?: unknown;
      };
      return read === true || manage === true;
    }
    await answer.body?.cancel();
    if (answer.status === 401) throw new SignedOut();
    if (answer.status === 403) return false;
    if (answer.status === 404) return undefined;
    throw new Error(`Cloud Controller has answered ${answer.status}.`);
  } catch (error) {
    if (error instanceof SignedOut) throw error;
    throw Object.assign(new BadCall(503, nobodySays), { cause: error });
  }
}

const nobodySays =
  'The platform does not say at the moment what you may see. Nothing is shown until it does: try again later.';
