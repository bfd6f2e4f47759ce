import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { askEtcd, type EtcdCall, type EtcdLogin, getKey, putKey, valueIn } from '../support/etcd-client.ts';
import { expectNoSecrets, expectPrivate, returnWholly } from './privacy.ts';
import { watchProcesses } from '../support/process-list.ts';
import { type Bound, describeOffering, openShop, type Shop } from './shop.ts';

/** A real etcd, by its own command and by HTTP, with the credentials of bindings. */

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

function loginOf({ credentials: { endpoint = '', username, password } }: Bound): EtcdLogin {
  return { endpoint, username, password };
}

const ask = (bound: Bound, ...calls: readonly EtcdCall[]) => askEtcd(loginOf(bound), calls);

async function read(bound: Bound, key: string): Promise<string | undefined> {
  return valueIn((await ask(bound, getKey(key))).at(-1));
}

/** Runs etcd's own command as applications do: all that it knows is in its environment. */
async function etcdctl({ credentials }: Bound, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('etcdctl', args, {
    env: {
      PATH: process.env['PATH'],
      ETCDCTL_API: '3',
      ETCDCTL_ENDPOINTS: credentials['endpoint'],
      ETCDCTL_USER: credentials['username'],
      ETCDCTL_PASSWORD: credentials['password'],
    },
  });
  return stdout;
}

describeOffering('etcd', () => {
  test('A20, S11: What one binding puts, another one gets; without a login, or with one of before, nobody does.', async () => {
    const watch = watchProcesses();
    const etcd = await shop.buy('etcd', 'small');
    const bindings = [await etcd.bind(), await etcd.bind()] as const;
    const [first, second] = bindings;
    expect(await etcdctl(first, 'put', 'tea', 'green')).toBe('OK\n');
    expect(await etcdctl(second, 'get', 'tea')).toBe('tea\ngreen\n');
    const { host, port, username, password, uri } = second.credentials;
    expect(uri).toBe(`http://${username}:${password}@${host}:${port}`);
    const anonymous = { endpoint: loginOf(first).endpoint };
    expect((await askEtcd(anonymous, [getKey('tea')])).join()).toContain('user name is empty');
    expectNoSecrets(watch.end(), etcd, bindings);
    expectPrivate(etcd);

    await first.unbind();
    await expect(ask(first, getKey('tea'))).rejects.toThrow('authentication failed');
    await expect(etcdctl(first, 'get', 'tea')).rejects.toThrow('authentication failed');
    expect(await read(second, 'tea')).toBe('green');
    await returnWholly(etcd, second.port);
  });

  test('A session that is open when its binding is removed reads and writes nothing more.', async () => {
    const etcd = await shop.buy('etcd', 'small');
    const [first, second] = [await etcd.bind(), await etcd.bind()];
    const { endpoint, ...login } = loginOf(first);
    const [answer = ''] = await askEtcd({ endpoint }, [
      ['/v3/auth/authenticate', { name: login.username, password: login.password }],
    ]);
    const { token = '' } = JSON.parse(answer) as { token?: string };
    const put = async (value: string) => {
      const body = JSON.stringify(putKey('key', value)[1]);
      const headers = { Authorization: token };
      return (await fetch(`${endpoint}/v3/kv/put`, { method: 'POST', headers, body })).text();
    };
    expect(await put('before')).toContain('revision');
    await first.unbind();
    expect(await put('after')).toMatch(/invalid auth token|permission denied|user name/);
    expect(await read(second, 'key')).toBe('before');
    await etcd.deprovision();
  });

  test('A restart and an update leave keys and logins; what once_ready did is not done again.', async () => {
    const etcd = await shop.buy('etcd', 'small');
    const bound = await etcd.bind();
    await ask(bound, putKey('kept', 'yes'));
    await etcd.act('restart');
    expect(await read(bound, 'kept')).toBe('yes');
    expect((await etcd.update('medium')).status).toBe(200);
    expect(await read(bound, 'kept')).toBe('yes');
    const { operations } = await etcd.details();
    const steps = operations.flatMap(({ kind, timeline }) => timeline.map(({ step }) => `${kind} ${step}`));
    expect(steps.filter((step) => step.endsWith('once_ready'))).toEqual(['provision once_ready']);
    await etcd.deprovision();
  });

  test('Parameters say how long history is kept and how large requests and transactions are; others are refused.', async () => {
    const etcd = await shop.buy('etcd', 'small', { history: '5m', max_request_bytes: 8192, max_txn_ops: 1 });
    const bound = await etcd.bind();
    const [large = '', small = ''] = await ask(bound, putKey('k', 'x'.repeat(20_000)), putKey('k', 'x'));
    expect(large).toContain('request is too large');
    expect(small).toContain('revision');
    const put = { requestPut: putKey('k', 'x')[1] };
    const [many = ''] = await ask(bound, ['/v3/kv/txn', { success: [put, put] }]);
    expect(many).toContain('too many operations');
    for (const wrong of [
      { history: '1h\nlog-level: debug' },
      { history: '0h' },
      { max_txn_ops: 0 },
      { quota: 1 },
    ])
      expect((await etcd.update('small', wrong)).status).toBe(400);
    await etcd.deprovision();
  });

  test('An etcd that is full is read and cleared by its users, restarted and moved to a larger plan.', async () => {
    const etcd = await shop.buy('etcd', 'small');
    const bound = await etcd.bind();
    await ask(bound, putKey('kept', 'yes'));
    const value = 'x'.repeat(1_000_000);
    const last = async () => {
      const answers = await ask(
        bound,
        ...Array.from({ length: 20 }, (_, index) => putKey(`${index}`, value)),
      );
      return answers.join();
    };
    let said = '';
    while (!said.includes('database space exceeded')) said = await last();
    expect(await read(bound, 'kept')).toBe('yes');
    await etcd.act('restart');
    expect((await ask(bound, putKey('more', 'x'))).join()).toContain('database space exceeded');
    expect((await etcd.update('medium')).status).toBe(200);
    await etcdctl(bound, 'alarm', 'disarm');
    expect((await ask(bound, putKey('more', 'x'))).join()).toContain('revision');
    await etcd.deprovision();
  });
});
