import { execFile, execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createCertificates } from '../../src/program/authority/certificates.ts';
import { writePrivatelySync } from '../../src/system/private-file.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { until } from '../support/until.ts';
import { makeDue, markOf, servedBy } from './served-certificate.ts';
import { type Bound, describeOffering, openShop, type Shop } from './shop.ts';

/** Plans that speak TLS, through the usual libraries, which verify the server by the `ca` of the credentials. */

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

interface Client {
  readonly offering: string;
  readonly plain: string;
  readonly secure: string;
  readonly library: string;
  /** Ends with another code than 0 where it is missing, for what is not simply imported. */
  readonly check?: string;
  /** All bindings are given the same, so an unbind takes nothing back. */
  readonly isShared?: boolean;
  /** Connects by `found`, with the file `ca` of an authority; ends with another code than 0 when it cannot. */
  readonly program: string;
  /** The same without TLS. */
  readonly inTheClear: string;
  /** What a client says to the greeting before TLS begins, if anything; undefined where a connection begins with it. */
  readonly opening?: Buffer;
  /** Does the program go on with another certificate, or is it started again? */
  readonly renews: 'in place' | 'by a restart';
}

/** The greeting is answered by what the client can do: protocol 41, TLS and secure connections, in 32 bytes. */
const mysqlOpening = Buffer.from([32, 0, 0, 1, 0, 0x8a, 0, 0, 0, 0, 0, 1, 45, ...Array<number>(23).fill(0)]);

const clients: readonly Client[] = [
  {
    offering: 'redis',
    plain: 'small',
    secure: 'secure',
    library: 'redis',
    program: `
import redis
for one in (redis.Redis.from_url(found['uri'], ssl_ca_certs=ca, ssl_check_hostname=True),
            redis.Redis(host=found['host'], port=found['port'], password=found['password'], ssl=True, ssl_ca_certs=ca)):
    one.set('key', 'value')
    assert one.get('key') == b'value'
`,
    inTheClear: `
import redis
redis.Redis(host=found['host'], port=found['port'], username=found['username'], password=found['password'], socket_timeout=5).ping()
`,
    renews: 'in place',
  },
  {
    offering: 'mariadb',
    plain: 'small',
    secure: 'secure',
    library: 'pymysql',
    program: `
import pymysql
one = pymysql.connect(host=found['host'], port=found['port'], user=found['username'], password=found['password'],
                      database=found['name'], ssl={'ca': ca, 'check_hostname': True})
with one.cursor() as asking:
    asking.execute("show status like 'Ssl_cipher'")
    assert asking.fetchone()[1] != ''
`,
    inTheClear: `
import pymysql
pymysql.connect(host=found['host'], port=found['port'], user=found['username'], password=found['password'],
                database=found['name'], connect_timeout=30).ping()
`,
    opening: mysqlOpening,
    renews: 'by a restart',
  },
  {
    offering: 'nats',
    plain: 'small',
    secure: 'secure',
    library: 'libnats',
    // Debian has no client in Python for NATS, but the one in C, which Python can call.
    check: `import ctypes.util\nassert ctypes.util.find_library('nats')`,
    isShared: true,
    program: `
import ctypes, ctypes.util
nats = ctypes.CDLL(ctypes.util.find_library('nats'))
nats.nats_GetLastError.restype = nats.natsMsg_GetData.restype = ctypes.c_char_p
def done(status):
    assert status == 0, nats.nats_GetLastError(None)
options, one, heard, message = [ctypes.c_void_p() for _ in range(4)]
done(nats.natsOptions_Create(ctypes.byref(options)))
done(nats.natsOptions_SetURL(options, found['uri'].encode()))
done(nats.natsOptions_LoadCATrustedCertificates(options, ca.encode()))
done(nats.natsOptions_SetExpectedHostname(options, found['host'].encode()))
done(nats.natsOptions_SetTimeout(options, ctypes.c_int64(60000)))
done(nats.natsConnection_Connect(ctypes.byref(one), options))
done(nats.natsConnection_SubscribeSync(ctypes.byref(heard), one, b'goods'))
done(nats.natsConnection_PublishString(one, b'goods', b'tea'))
done(nats.natsSubscription_NextMsg(ctypes.byref(message), heard, ctypes.c_int64(60000)))
assert nats.natsMsg_GetData(message) == b'tea'
`,
    inTheClear: `
import socket
one = socket.create_connection((found['host'], found['port']), timeout=60)
lines = one.makefile('rb')
assert lines.readline().startswith(b'INFO')
login = json.dumps({'user': found['username'], 'pass': found['password'], 'verbose': False})
one.sendall(f'CONNECT {login}\\r\\nPING\\r\\n'.encode())
assert b'PONG' in lines.readline()
`,
    opening: Buffer.alloc(0),
    renews: 'in place',
  },
  {
    offering: 'etcd',
    plain: 'small',
    secure: 'secure',
    library: 'etcd3',
    program: `
import etcd3
assert found['endpoint'].startswith('https://') and found['uri'].startswith('https://')
one = etcd3.client(host=found['host'], port=found['port'], ca_cert=ca, user=found['username'],
                   password=found['password'], timeout=60)
one.put('goods', 'tea')
assert one.get('goods')[0] == b'tea'
`,
    inTheClear: `
import urllib.request
login = json.dumps({'name': found['username'], 'password': found['password']}).encode()
asked = f"http://{found['host']}:{found['port']}/v3/auth/authenticate"
assert b'token' in urllib.request.urlopen(asked, login, timeout=60).read()
`,
    renews: 'in place',
  },
  {
    offering: 'rabbitmq',
    plain: 'small',
    secure: 'secure',
    library: 'pika',
    program: `
import pika, ssl, urllib.request
trusted = ssl.create_default_context(cafile=ca)
address = pika.URLParameters(found['protocols']['amqp']['uri'])
assert address.ssl_options
address.ssl_options = pika.SSLOptions(trusted, found['host'])
address.socket_timeout = address.stack_timeout = 60
one = pika.BlockingConnection(address).channel()
one.confirm_delivery()
one.queue_declare('goods')
one.basic_publish('', 'goods', b'tea')
page = urllib.request.urlopen(found['dashboard_url'], context=trusted).read()
assert b'RabbitMQ Management' in page
`,
    inTheClear: `
import pika
login = pika.PlainCredentials(found['username'], found['password'])
parts = pika.ConnectionParameters(host=found['host'], port=found['port'], virtual_host=found['vhost'], credentials=login)
pika.BlockingConnection(parts).channel().queue_declare('goods')
`,
    renews: 'in place',
  },
];

for (const client of clients) {
  const { offering, plain, secure, library, program, inTheClear, opening, renews } = client;
  const { check = `import ${library}`, isShared = false } = client;
  describeOffering(offering, () => {
    const title = (what: string) => `${library} of Python ${what} ${offering}`;

    testWith(
      { library, check },
      `${title('verifies')} by the credentials alone, with another authority it refuses, and nothing is served in the clear.`,
      async () => {
        const bought = await shop.buy(offering, secure);
        const bound = await bought.bind();
        expect(bound.credentials['tls']).toBe(true);
        await run(program, bound, bound.credentials['ca'] ?? '');
        await expect(run(program, bound, await anotherAuthority())).rejects.toThrow(
          /certificate|CERTIFICATE/,
        );
        await expect(run(inTheClear, bound, '')).rejects.toThrow();
        await bound.unbind();
        if (!isShared) await expect(run(program, bound, bound.credentials['ca'] ?? '')).rejects.toThrow();
        await bought.deprovision();
      },
    );

    testWith(
      { library, check },
      `${title('uses')} with TLS when an instance without it has got a plan with it, and without it again.`,
      async () => {
        const bought = await shop.buy(offering, plain);
        const before = await bought.bind();
        await run(inTheClear, before, '');
        expect((await bought.update(secure)).status).toBe(200);
        await expect(run(inTheClear, before, '')).rejects.toThrow();
        const bound = await bought.bind();
        await run(program, bound, bound.credentials['ca'] ?? '');
        expect((await bought.update(plain)).status).toBe(200);
        await run(inTheClear, before, '');
        await bought.deprovision();
      },
    );

    test(`A certificate of ${offering} that is past its time is replaced, and read ${renews}.`, async () => {
      const bought = await shop.buy(offering, secure);
      const bound = await bought.bind();
      const isSeen = async () => (await bought.details()).units.every(({ pid }) => pid !== undefined);
      await until('its units have been looked at', isSeen, 60_000);
      const { units } = await bought.details();
      const first = await servedBy(bound, opening);
      makeDue(bought);
      const isServed = async () => ![first, undefined].includes(await servedBy(bound, opening));
      await until('another certificate is served', isServed, 60_000);
      const pids = async () => (await bought.details()).units.map(({ pid }) => pid);
      const before = units.map(({ pid }) => pid);
      if (renews === 'in place') expect(await pids()).toEqual(before);
      else await until('it runs as another', async () => !(await pids()).some((pid) => before.includes(pid)));
      await until(
        'it is well',
        async () => (await isSeen()) && (await bought.details()).status === 'started',
      );
      expect(Date.parse(String(markOf(bought).value['renewAt']))).toBeGreaterThan(Date.now());
      await bought.deprovision();
    });
  });
}

describeOffering('redis', () => {
  test('What was made by a certificate that is lost is made anew at a restart; the key is readable by its user alone.', async () => {
    const redis = await shop.buy('redis', 'secure');
    const bound = await redis.bind();
    const first = await servedBy(bound);
    await redis.act('stop');
    const { file, value } = markOf(redis);
    // As when the broker has died before it could write it down.
    writePrivatelySync(file, JSON.stringify({ ...value, names: [] }));
    await redis.act('start');
    expect(await servedBy(bound)).not.toBe(first);
    expect(new X509Certificate(bound.credentials['ca'] ?? '').ca).toBe(true);
    await redis.deprovision();
  });
});

async function anotherAuthority(): Promise<string> {
  const { createRoot } = await import('../../src/program/authority/sign.ts');
  const root = await createRoot(1, new Date());
  const authorities = { list: async () => [root], add: async () => false, schedule: async () => false };
  return (await createCertificates(authorities).inForce(0)).roots;
}

/** A `test`; skipped, with the reason, where Debian's Python lacks the library. */
function testWith(
  { library, check }: Pick<Client, 'library' | 'check'>,
  title: string,
  body: () => Promise<void>,
): void {
  if (runsWell(check ?? '')) test(title, body);
  else test.skip(`${title} (skipped: Python has no ${library})`, body);
}

function runsWell(check: string): boolean {
  try {
    execFileSync('/usr/bin/python3', ['-c', check], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function run(program: string, { credentials }: Bound, ca: string): Promise<void> {
  const file = join(scratchDirectory('ca'), 'ca.pem');
  writePrivatelySync(file, ca);
  const known = "import json, os\nfound = json.loads(os.environ['FOUND'])\nca = os.environ['CA_FILE']\n";
  const env = { FOUND: JSON.stringify(credentials), CA_FILE: file };
  await promisify(execFile)('/usr/bin/python3', ['-c', known + program], { env, timeout: 60_000 });
}
