import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { scratchDirectory } from './scratch-directory.ts';

/** Whom Mosquitto's own clients log in as, and where. */
export interface MqttLogin {
  readonly host: string | undefined;
  readonly port: number | string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

/**
 * Runs one of Mosquitto's clients for the command line, by MQTT 5, and gives all that it prints. The login stands in its
 * file of options, so that no command line shows it.
 * @throws when it does not end with 0; the message holds what it has written
 */
export async function runMosquitto(
  client: 'pub' | 'rr' | 'sub',
  { host, port, username, password }: MqttLogin,
  args: readonly string[],
): Promise<string> {
  const XDG_CONFIG_HOME = scratchDirectory('mqtt');
  const login = username === undefined ? [] : [`-u ${username}`, `-P ${password ?? ''}`];
  const options = [`-h ${host ?? ''}`, `-p ${port ?? ''}`, '-V 5', ...login];
  writeFileSync(join(XDG_CONFIG_HOME, `mosquitto_${client}`), `${options.join('\n')}\n`, { mode: 0o600 });
  const { stdout, stderr } = await promisify(execFile)(`mosquitto_${client}`, [...args], {
    env: { PATH: process.env['PATH'], XDG_CONFIG_HOME },
    timeout: 60_000,
  });
  return `${stdout}${stderr}`.trimEnd();
}

/** A connection by MQTT 3.1.1 that says nothing but its login. @throws when that is refused, or the server is full */
export async function connectMqtt({
  host = '',
  port,
  username = '',
  password = '',
}: MqttLogin): Promise<Socket> {
  const socket = connect({ host, port: Number(port) });
  const fields = ['', username, password].map((text) =>
    Buffer.concat([Buffer.of(0, text.length), Buffer.from(text)]),
  );
  // Clean, with a name and a password; kept alive for a minute.
  const packet = Buffer.concat([Buffer.from('\0\x04MQTT\x04'), Buffer.of(0xc2, 0, 60), ...fields]);
  socket.write(Buffer.concat([Buffer.of(0x10, packet.length), packet]));
  const answer = Buffer.concat(
    (await Promise.race([once(socket, 'data'), once(socket, 'close')])).filter((part) =>
      Buffer.isBuffer(part),
    ),
  );
  if (answer.equals(Buffer.of(0x20, 2, 0, 0))) return socket;
  socket.destroy();
  throw new Error(`The server has answered ${answer.toString('hex') || 'nothing'}.`);
}
