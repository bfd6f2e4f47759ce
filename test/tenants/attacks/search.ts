import type { Holding } from '../market.ts';
import { type Attacks, tryEach } from './attack.ts';

async function ask(as: Holding, target: string, { at = as, body }: { at?: Holding; body?: string } = {}) {
  const { host, username, password } = as.credentials;
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const init = body === undefined ? {} : { method: 'POST', body };
  const answer = await fetch(`http://${host}:${at.port}/d/${target}`, {
    ...init,
    headers: { authorization },
  });
  return `${answer.status} ${await answer.text()}`;
}

/** What is tried against the walls of this offering one by one is in search.test.ts. */
export const search: Attacks = {
  plan: 'small',
  async plant(holding, secret) {
    await ask(holding, 'table_create?name=Secrets&flags=TABLE_HASH_KEY&key_type=ShortText');
    await ask(holding, 'load?table=Secrets', { body: JSON.stringify([{ _key: secret }]) });
    const answer = await ask(holding, 'select?table=Secrets');
    if (!answer.includes(secret)) throw new Error(answer);
  },
  attacks: [
    {
      to: 'run code or end the server',
      try: ({ mine }) =>
        tryEach(
          ['plugin_register?name=ruby/eval', 'ruby_eval?script=%60id%60', 'shutdown', 'log_reopen'],
          (command) => ask(mine, command),
        ),
      refusal: /^(?:404 This command is not served.\n+){4}$/,
    },
    {
      to: 'let the login of a binding into the instance of a neighbour',
      try: ({ mine, neighbour }) => ask(mine, 'select?table=Secrets', { at: neighbour }),
      refusal: /^401 /,
    },
  ],
};
