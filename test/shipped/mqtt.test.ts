import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { connectMqtt, runMosquitto } from '../support/mosquitto-client.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { until } from '../support/until.ts';
import { expectNoSecrets, expectPrivate, returnWholly } from './privacy.ts';
import { watchProcesses } from '../support/process-list.ts';
import { type Bought, type Bound, describeOffering, openShop, type Shop } from './shop.ts';

/** Mosquitto, used by the clients that it comes with. */

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

describeOffering('mqtt', () => {
  const loginOf = ({ credentials: { host, username, password }, port }: Bound) => ({
    host,
    port,
    username,
    password,
  });
  /** Keeps a message at a topic. */
  const keep = (bound: Bound, topic: string, ...message: readonly string[]) =>
    runMosquitto('pub', loginOf(bound), ['-q', '1', '-r', '-t', topic, ...message]);
  /** Waits for one message. */
  const hear = (bound: Bound, topic: string) =>
    runMosquitto('sub', loginOf(bound), ['-q', '1', '-C', '1', '-W', '60', '-t', topic]);

  async function pidOf(mqtt: Bought): Promise<number> {
    let pid: number | undefined;
    await until('it has been looked at', async () => (pid = (await mqtt.details()).units[0]?.pid), 60_000);
    return pid ?? 0;
  }

  test('S11: What one binding publishes another one hears, by TCP; unbind takes its login and leaves the others theirs.', async () => {
    const watch = watchProcesses();
    const mqtt = await shop.buy('mqtt', 'small');
    const bindings = [await mqtt.bind(), await mqtt.bind()] as const;
    const [first, second] = bindings;
    await keep(first, 'orders/1', '-m', 'one tea');
    expect(await hear(second, 'orders/#')).toBe('one tea');
    expectNoSecrets(watch.end(), mqtt, bindings);
    expectPrivate(mqtt);
    await first.unbind();
    await expect(hear(first, 'orders/#')).rejects.toThrow(/not authori[sz]ed/i);
    expect(await hear(second, 'orders/#')).toBe('one tea');
    await returnWholly(mqtt, second.port);
  });

  test('Who is connected is hung up on by the unbind.', async () => {
    const mqtt = await shop.buy('mqtt', 'small');
    const [bound, other] = [await mqtt.bind(), await mqtt.bind()];
    const [socket, staying] = [await connectMqtt(loginOf(bound)), await connectMqtt(loginOf(other))];
    const closed = once(socket, 'close');
    await bound.unbind();
    await closed;
    await expect(connectMqtt(loginOf(bound))).rejects.toThrow('20020005');
    expect(staying.closed).toBe(false);
    staying.destroy();
    await mqtt.deprovision();
  });

  test('Websockets are spoken at a port of their own, and both ports are at the address of the node alone.', async () => {
    const mqtt = await shop.buy('mqtt', 'small');
    const { credentials, port } = await mqtt.bind();
    const opened = new WebSocket(credentials['ws_uri']?.replace(/\/\/.*@/, '//') ?? '', 'mqtt');
    await once(opened, 'open');
    expect(opened.protocol).toBe('mqtt');
    opened.close();
    for (const one of [port, Number(credentials['ws_port'])]) {
      const elsewhere = connect({ host: '127.0.0.1', port: one });
      await expect(once(elsewhere, 'connect')).rejects.toThrow('ECONNREFUSED');
    }
    await mqtt.deprovision();
  });

  test('What is kept survives a restart, an update to another plan and parameters that change.', async () => {
    const mqtt = await shop.buy('mqtt', 'small', { largest_message: 4096 });
    const bound = await mqtt.bind();
    await keep(bound, 'kept', '-m', 'a message');
    expect(await keep(bound, 'kept', '-m', 'x'.repeat(5000))).toContain('too large');
    await mqtt.act('restart');
    expect(await hear(bound, 'kept')).toBe('a message');
    expect((await mqtt.update('medium', { largest_message: 8192 })).status).toBe(200);
    await keep(bound, 'kept', '-m', 'y'.repeat(5000));
    expect(await hear(bound, 'kept')).toBe('y'.repeat(5000));
    expect((await mqtt.update('medium', { largest_message: 'x' })).status).toBe(400);
    await mqtt.deprovision();
  });

  test('A binding is made and taken away while clients have all connections.', async () => {
    const mqtt = await shop.buy('mqtt', 'small');
    const [bound, greedy] = [await mqtt.bind(), await mqtt.bind()];
    const sockets: Socket[] = [];
    const crowd = async () => {
      while (sockets.length < 110) sockets.push(await connectMqtt(loginOf(greedy)));
    };
    await expect(crowd()).rejects.toThrow(/nothing|ECONNRESET/);
    const another = await mqtt.bind();
    await bound.unbind();
    const closed = sockets.map((socket) => once(socket, 'close'));
    await greedy.unbind();
    await Promise.all(closed);
    (await connectMqtt(loginOf(another))).destroy();
    await mqtt.deprovision();
  });

  test('A server whose memory is full takes no more, keeps its process, and unbinds.', async () => {
    const mqtt = await shop.buy('mqtt', 'small');
    const bound = await mqtt.bind();
    const pid = await pidOf(mqtt);
    const large = join(scratchDirectory('large'), 'message');
    writeFileSync(large, Buffer.alloc(1024 * 1024));
    const fill = async () => {
      for (let count = 0; count < 80; count += 1) await keep(bound, `full/${count}`, '-f', large);
    };
    await expect(fill()).rejects.toThrow();
    await bound.unbind();
    await expect(hear(bound, 'full/0')).rejects.toThrow(/not authori[sz]ed/i);
    expect(await pidOf(mqtt)).toBe(pid);
    await mqtt.deprovision();
  });
});
