import type { OwnedInstance } from '../../broker/broker.ts';
import type { Seals } from '../../broker/context.ts';
import type { Call } from '../protocol.ts';
import { cookie, cookieIn, placeOf } from './cookies.ts';

/** Somebody was let in to one instance. It lies in the browser, sealed, so every broker with the keys knows it. */
export interface Session {
  /** Made at random. */
  readonly id: string;
  readonly instanceId: string;
  /** Of this life of the instance. */
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly until: number;
  /** By which the platform is asked what they may; absent: they have come by a link. */
  readonly token?: string | undefined;
}

const name = 'purveyor_dashboard';
const purpose = 'dashboard session';
/** Browsers keep no cookie that is longer, with its name and all. */
const mostCharacters = 3900;

export interface Sessions {
  /** The cookie of a new one; undefined: it is too large for a browser. */
  open(session: Session): string | undefined;
  /** Undefined: there is none, or it is over, of another instance or of a former life. */
  find(call: Call, instanceId: string, owned: Pick<OwnedInstance, 'key'>): Session | undefined;
}

/** @param url gives the broker's own address */
export function createSessions(seals: Seals, url: () => string): Sessions {
  return {
    open(session) {
      const value = seals.seal(purpose, JSON.stringify(session));
      if (value.length > mostCharacters) return undefined;
      const place = placeOf(url(), `/dashboard/${encodeURIComponent(session.instanceId)}`);
      return cookie(name, value, (session.until - Date.now()) / 1000, place);
    },
    find(call, instanceId, { key }) {
      const text = seals.open(purpose, cookieIn(call, name) ?? '');
      const session = text === undefined ? undefined : (JSON.parse(text) as Session);
      const isOurs = session?.instanceId === instanceId && session.key === key;
      return isOurs && session.until > Date.now() ? session : undefined;
    },
  };
}
