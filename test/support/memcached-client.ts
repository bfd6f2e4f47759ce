import { connect } from 'node:net';

/** What a binding of memcached is used with. */
export interface MemcachedLogin {
  readonly host?: string | undefined;
  readonly port: number;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

export interface MemcachedAnswer {
  /** 0 is well, 0x20 is refused for want of a login. */
  readonly status: number;
  readonly value: string;
}

/** A request of the binary protocol: `get`, `set`, or any opcode. */
export interface MemcachedRequest {
  readonly opcode: number;
  readonly key?: string;
  readonly value?: string;
  readonly extras?: number;
}

export const memcachedGet = (key: string): MemcachedRequest => ({ opcode: 0x00, key });
export const memcachedSet = (key: string, value: string): MemcachedRequest => ({
  opcode: 0x01,
  key,
  value,
  extras: 8,
});

/** Logs in by SASL when there is a name, and gives one answer for each request; the login's own is the first. */
export function askMemcached(
  login: MemcachedLogin,
  requests: readonly MemcachedRequest[],
): Promise<readonly MemcachedAnswer[]> {
  const { username, password = '' } = login;
  const auth = { opcode: 0x21, key: 'PLAIN', value: `\0${username}\0${password}` };
  const all = username === undefined ? requests : [auth, ...requests];
  return new Promise((resolve, reject) => {
    const socket = connect({ host: login.host ?? '', port: login.port });
    let heard = Buffer.alloc(0);
    socket.setTimeout(10_000, () => socket.destroy());
    socket.on('error', reject).on('close', () => resolve(answersIn(heard)));
    socket.on('data', (part) => {
      heard = Buffer.concat([heard, part]);
      if (answersIn(heard).length >= all.length) socket.destroy();
    });
    socket.write(Buffer.concat(all.map(frameOf)));
  });
}

const headerLength = 24;

function frameOf({ opcode, key = '', value = '', extras = 0 }: MemcachedRequest): Buffer {
  const header = Buffer.alloc(headerLength + extras);
  const body = Buffer.from(key + value);
  header.writeUInt8(0x80, 0);
  header.writeUInt8(opcode, 1);
  header.writeUInt16BE(Buffer.byteLength(key), 2);
  header.writeUInt8(extras, 4);
  header.writeUInt32BE(extras + body.length, 8);
  return Buffer.concat([header, body]);
}

function answersIn(heard: Buffer): readonly MemcachedAnswer[] {
  const answers: MemcachedAnswer[] = [];
  let at = 0;
  while (heard.length >= at + headerLength) {
    const length = heard.readUInt32BE(at + 8);
    const end = at + headerLength + length;
    if (heard.length < end) break;
    const extras = heard.readUInt8(at + 4);
    const value = heard.toString('utf8', at + headerLength + extras, end);
    answers.push({ status: heard.readUInt16BE(at + 6), value });
    at = end;
  }
  return answers;
}
