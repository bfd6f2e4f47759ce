/**
 * What a wire protocol is to the rest: a table of routes from plain values to plain values. No HTTP
 * framework is seen here; http/mount.ts turns requests into calls and replies into bytes.
 */
export interface Call {
  readonly method: string;
  readonly path: string;
  /** Decoded path parameters. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** As the route's `body` says; undefined where it says nothing or the request had none. */
  readonly body: unknown;
  /** The authenticated user. */
  readonly principal?: string;
  /** The user's platform, which sees its own instances alone; absent: the default one, or none. */
  readonly platform?: string;
  /** May the user only read? */
  readonly readsOnly?: boolean;
  readonly requestId: string;
  /** Has the caller hung up by now? Then no answer reaches it. */
  readonly isGone?: () => boolean;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as application/json, ready-made bytes with their type, or what comes by and by. */
  readonly body?: object | { readonly bytes: Uint8Array; readonly type: string } | FollowedBody;
}

/** What is told as it happens, until it ends or nobody hears it any more. */
export interface FollowedBody {
  /** @param signal aborted when the caller is gone, and when the broker is to end */
  readonly follow: (signal: AbortSignal) => AsyncIterable<string>;
  readonly type: string;
}

export type Handler = (call: Call) => Promise<Reply> | Reply;

/** The page of what is called, `/dashboard/<instance>`; undefined when it is not known here, or not for this caller. */
export type DashboardPage = (call: Call) => Promise<Reply | undefined>;

export interface Route {
  readonly method: 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE';
  /** As in Express: `/v2/service_instances/:instanceId`. */
  readonly path: string;
  /**
   * How the request's body is read; without it the body is ignored. `json`: as JSON, whatever its content type says.
   * `form or json`: as JSON when its content type says so, else as a form, which gives URLSearchParams.
   */
  readonly body?: 'json' | 'form or json';
  readonly handler: Handler;
}

export interface Login {
  readonly username: string;
  readonly password: string;
}

/** A user whose passwords are known by their hashes alone. */
export interface HashedLogin {
  readonly username: string;
  /** All that are valid at the same time: each says whether a password is it, and takes its time. */
  readonly passwords: readonly PasswordCheck[];
  /** As of a call. */
  readonly platform?: string;
  /** May the user only read? */
  readonly readsOnly?: boolean;
}

export type PasswordCheck = (password: string) => Promise<boolean>;

/** Whom a token is of, as long as that counts. */
export interface TokenBearer {
  readonly name: string;
  /** As of a call. */
  readonly platform?: string | undefined;
  readonly readsOnly?: boolean | undefined;
}

/**
 * Whom a token is of; undefined: of nobody.
 * @throws BadCall 503 when that cannot be told now
 */
export type TokenCheck = (token: string) => TokenBearer | undefined | Promise<TokenBearer | undefined>;

/** What a caller has shown of itself in the handshake of TLS, and proven to have the key of. */
export interface CallerCertificate {
  /** As Node gives it: a line for each attribute, `CN=…`. */
  readonly subject: string;
  /** Its subjectAltName as Node gives it. */
  readonly names: string;
}

/** Whom a certificate is of, of which it is known that a trusted authority has signed it; undefined: of nobody. */
export type CertificateCheck = (certificate: CallerCertificate) => TokenBearer | undefined;

/** By whom else a realm is entered than by its logins, and how often. */
export interface FurtherLogins {
  /** Those whose passwords are not known; the same list until it changes, as what is worked out of it is kept with it. */
  accounts?(): readonly HashedLogin[];
  /** What tells of bearer tokens (RFC 6750); undefined: nobody has one. */
  tokens?(): TokenCheck | undefined;
  /** What tells of certificates; undefined: nobody has one. */
  certificates?(): CertificateCheck | undefined;
  /** How often a user may ask, and together with whom; undefined: as often as it likes. */
  limitOf?(user: Pick<Call, 'principal' | 'platform'>): Limit | undefined;
}

/** Who may call a protocol. */
export interface Realm extends FurtherLogins {
  /** As it is told to those who have no login. */
  readonly name: string;
  /**
   * All that are valid at the same time for this call. The same list for the same answer, not one made anew:
   * what is worked out of a list is kept with it.
   */
  logins(call: Pick<Call, 'path' | 'params'>): readonly Login[];
}

/** So many requests in so many milliseconds. */
export interface Rate {
  readonly requests: number;
  readonly perMs: number;
}

export interface Limit {
  readonly rate: Rate;
  /** All whose requests are counted under one name share the rate. */
  readonly counted: string;
}

export interface Protocol {
  readonly name: string;
  /** Is a login asked for? */
  readonly open: boolean;
  /** Absent: the platforms. Logins of one realm mean nothing in another. */
  readonly realm?: Realm;
  readonly routes: readonly Route[];
  /** Request headers that come back as they were sent, on every answer. */
  readonly echoedHeaders?: readonly string[];
  /** Runs before the body is read; throws what `refuse` understands. */
  admit?(call: Omit<Call, 'body'>): void;
  /**
   * What it does without being asked, again and again as long as the broker works. It never rejects.
   * @returns milliseconds until the next time
   */
  readonly round?: () => Promise<number>;
  /** Any error as this protocol's answer; unknown ones become a 500 with a fixed text. */
  refuse(error: unknown): Reply;
}

/** A request that HTTP itself refuses: unknown route, wrong method, unreadable body, no login. */
export class BadCall extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  /** @param sentence for the caller, without internals. */
  constructor(status: number, sentence: string, headers: Readonly<Record<string, string>> = {}) {
    super(sentence);
    this.name = 'BadCall';
    this.status = status;
    this.headers = headers;
  }
}
