import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { Holding } from '../market.ts';
import { type Attacks, tryEach } from './attack.ts';

async function logIn(as: Holding, at = as): Promise<NatsConnection> {
  const { host, username: user, password: pass } = as.credentials;
  return connect({ servers: `${host}:${at.port}`, user, pass, reconnect: false, timeout: 30_000 });
}

/** Asks for this subject and gives the answer, or why there was none. */
async function ask(as: Holding, subjects: readonly string[], at = as): Promise<readonly unknown[]> {
  const connection = await logIn(as, at);
  try {
    return await tryEach(subjects, async (subject) =>
      (await connection.request(subject, '', { timeout: 500 })).string(),
    );
  } finally {
    await connection.close();
  }
}

export const nats: Attacks = {
  plan: 'small',
  async plant(holding, secret) {
    const connection = await logIn(holding);
    const subscription = connection.subscribe('secret', { max: 1 });
    connection.publish('secret', secret);
    for await (const message of subscription)
      if (message.string() !== secret) throw new Error('It was not kept.');
    await connection.close();
  },
  attacks: [
    {
      to: 'let the login of a binding into the server of a neighbour',
      try: ({ mine, neighbour }) => ask(mine, ['secret'], neighbour),
      refusal: /authorization/i,
    },
    {
      to: 'answer for the account of the system',
      try: ({ mine }) =>
        ask(mine, [
          '$SYS.REQ.SERVER.PING',
          '$SYS.REQ.SERVER.PING.CONNZ',
          '$SYS.REQ.ACCOUNT.PING.SUBSZ',
          '$SYS.REQ.SERVER.PING.CONFIGZ',
        ]),
      refusal: /responders|permission/i,
    },
    {
      to: 'store anything, since there is no JetStream',
      try: ({ mine }) => ask(mine, ['$JS.API.INFO', '$JS.API.STREAM.LIST', '$KV.a.b', '$O.a.b']),
      refusal: /responders/i,
    },
    {
      to: 'tell what is said to a neighbour',
      async try({ mine, neighbour }) {
        const [listening, telling] = [await logIn(mine), await logIn(neighbour)];
        const heard: string[] = [];
        const subscription = listening.subscribe('>', {
          callback: (_, message) => void heard.push(message.string()),
        });
        await listening.flush();
        telling.publish('order', 'a-secret-order');
        await telling.flush();
        listening.publish('own', 'heard this alone');
        await listening.flush();
        subscription.unsubscribe();
        await Promise.all([listening.close(), telling.close()]);
        return JSON.stringify(heard);
      },
      refusal: /^\["heard this alone"\]$/,
    },
  ],
};
