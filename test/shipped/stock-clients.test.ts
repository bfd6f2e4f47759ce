import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { type Bound, describeOffering, openShop, type Shop } from './shop.ts';

/**
 * Applications in Python, each with the usual library as Debian packages it, that know nothing but VCAP_SERVICES: no
 * name, port or option of a service stands in them.
 */

const python = '/usr/bin/python3';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

/** Finds the service as cfenv of Python, Node and Java do: by a tag. */
const finding = `
import json, os, sys
def service(tag):
    every = [one for group in json.loads(os.environ['VCAP_SERVICES']).values() for one in group]
    return next(one['credentials'] for one in every if tag in one['tags'])
`;

interface Client {
  readonly offering: string;
  readonly library: string;
  /** Ends with another code than 0 where it is missing, for what is not simply imported. */
  readonly check?: string;
  /** All bindings are given the same, so an unbind takes nothing back. */
  readonly isShared?: boolean;
  /** Writes and reads, by an address and by parts; ends with another code than 0 when it cannot. */
  readonly program: string;
}

const clients: readonly Client[] = [
  {
    offering: 'redis',
    library: 'redis',
    program: `
import redis
found = service('redis')
by_address = redis.Redis.from_url(found['uri'], decode_responses=True)
by_address.set('key', 'value')
by_parts = redis.Redis(host=found['hostname'], port=found['port'], username=found['username'], password=found['password'])
by_password = redis.Redis(host=found['host'], port=found['port'], password=found['password'], decode_responses=True)
assert by_parts.get('key') == b'value' and by_password.get('key') == 'value'
`,
  },
  {
    offering: 'mariadb',
    library: 'pymysql',
    program: `
import pymysql
found = service('mysql')
assert isinstance(found['port'], int)
connection = pymysql.connect(host=found['hostname'], port=found['port'], user=found['username'], password=found['password'], database=found['database'])
with connection.cursor() as cursor:
    cursor.execute('create table if not exists goods (name text)')
    cursor.execute('insert into goods values (%s)', ('tea \\U0001F375',))
    cursor.execute('select name from goods limit 1')
    assert cursor.fetchone() == ('tea \\U0001F375',)
`,
  },
  {
    offering: 'postgres',
    library: 'psycopg2',
    program: `
import psycopg2
found = service('postgresql')
by_address = psycopg2.connect(found['uri'])
by_parts = psycopg2.connect(host=found['hostname'], port=found['port'], dbname=found['database'], user=found['username'], password=found['password'], sslmode=found['sslmode'])
with by_address, by_address.cursor() as cursor:
    cursor.execute('create table if not exists goods (name text)')
    cursor.execute('insert into goods values (%s)', ('tea',))
with by_parts.cursor() as cursor:
    cursor.execute('select name from goods limit 1')
    assert cursor.fetchone() == ('tea',)
`,
  },
  {
    offering: 'rabbitmq',
    library: 'pika',
    program: `
import pika
found = service('rabbitmq')
sender = pika.BlockingConnection(pika.URLParameters(found['uri'])).channel()
sender.queue_declare('goods')
sender.basic_publish('', 'goods', b'tea')
amqp = found['protocols']['amqp']
login = pika.PlainCredentials(amqp['username'], amqp['password'])
parts = pika.ConnectionParameters(host=amqp['host'], port=amqp['port'], virtual_host=amqp['vhost'], credentials=login)
receiver = pika.BlockingConnection(parts).channel()
frame, _, body = receiver.basic_get('goods', auto_ack=True)
while frame is None:
    frame, _, body = receiver.basic_get('goods', auto_ack=True)
assert body == b'tea'
`,
  },
  {
    offering: 'etcd',
    library: 'urllib',
    program: `
import base64
from urllib.request import urlopen, Request
found = service('etcd')
def ask(path, body, **headers):
    return json.load(urlopen(Request(found['endpoint'] + path, json.dumps(body).encode(), headers)))
login = ask('/v3/auth/authenticate', {'name': found['username'], 'password': found['password']})
key, value = (base64.b64encode(text).decode() for text in (b'goods', b'tea'))
ask('/v3/kv/put', {'key': key, 'value': value}, Authorization=login['token'])
assert ask('/v3/kv/range', {'key': key}, Authorization=login['token'])['kvs'][0]['value'] == value
`,
  },
  {
    offering: 'memcached',
    library: 'pylibmc',
    program: `
import pylibmc
found = service('memcached')
client = pylibmc.Client([found['servers']], binary=True, username=found['username'], password=found['password'])
assert client.set('key', 'value') and client.get('key') == 'value'
`,
  },
  {
    offering: 'memcached',
    library: 'bmemcached',
    program: `
import bmemcached
found = service('memcached')
client = bmemcached.Client(found['servers'], found['username'], found['password'])
assert client.set('key', 'value') and client.get('key') == 'value'
`,
  },
  {
    offering: 'mqtt',
    library: 'paho.mqtt',
    program: `
import paho.mqtt.publish as publish, paho.mqtt.subscribe as subscribe
found = service('mqtt')
login = {'username': found['username'], 'password': found['password']}
publish.single('goods', 'tea', qos=1, retain=True, hostname=found['hostname'], port=found['port'], auth=login)
publish.single('goods/2', 'tea', qos=1, retain=True, hostname=found['host'], port=found['ws_port'], auth=login, transport='websockets')
for topic, port, transport in [('goods', found['ws_port'], 'websockets'), ('goods/2', found['port'], 'tcp')]:
    heard = subscribe.simple(topic, qos=1, hostname=found['host'], port=port, auth=login, transport=transport)
    assert heard.payload == b'tea'
`,
  },
  {
    offering: 'nats',
    library: 'libnats',
    // Debian has no client in Python for NATS, but the one in C, which Python can call.
    check: `import ctypes.util\nassert ctypes.util.find_library('nats')`,
    isShared: true,
    program: `
import ctypes, ctypes.util
nats = ctypes.CDLL(ctypes.util.find_library('nats'))
nats.natsStatus_GetText.restype = nats.natsMsg_GetData.restype = ctypes.c_char_p
def done(status):
    assert status == 0, nats.natsStatus_GetText(status)
found = service('nats')
sender, receiver, heard, message = [ctypes.c_void_p() for _ in range(4)]
done(nats.natsConnection_ConnectTo(ctypes.byref(receiver), found['url'].encode()))
done(nats.natsConnection_SubscribeSync(ctypes.byref(heard), receiver, b'goods'))
done(nats.natsConnection_Flush(receiver))
done(nats.natsConnection_ConnectTo(ctypes.byref(sender), found['uri'].encode()))
done(nats.natsConnection_PublishString(sender, b'goods', b'tea'))
done(nats.natsSubscription_NextMsg(ctypes.byref(message), heard, ctypes.c_int64(60000)))
assert nats.natsMsg_GetData(message) == b'tea'
wrong = found['uri'].replace(found['password'], 'a-guess').encode()
assert nats.natsConnection_ConnectTo(ctypes.byref(ctypes.c_void_p()), wrong) != 0
`,
  },
  {
    offering: 'search',
    library: 'requests',
    program: `
import requests
found = service('search')
def ask(command, **rest):
    answer = requests.request('POST' if 'json' in rest else 'GET', found['uri'] + '/d/' + command, **rest)
    answer.raise_for_status()
    return answer.json()[1]
ask('table_create', params={'name': 'Goods', 'flags': 'TABLE_HASH_KEY', 'key_type': 'ShortText'})
assert ask('load', params={'table': 'Goods'}, json=[{'_key': 'green tea'}, {'_key': 'coffee'}]) == 2
by_parts = f"http://{found['hostname']}:{found['port']}/d/select"
asked = {'table': 'Goods', 'query': '_key:@tea', 'output_columns': '_key'}
answer = requests.get(by_parts, params=asked, auth=(found['username'], found['password']))
assert answer.json()[1][0][2:] == [['green tea']], answer.text
`,
  },
  {
    offering: 'filesystem',
    library: 'pathlib',
    isShared: true,
    program: `
from pathlib import Path
order = Path(service('filesystem')['path']) / 'order.txt'
order.write_text('tea')
assert order.read_text() == 'tea'
`,
  },
];

for (const { offering, library, check = `import ${library}`, isShared = false, program } of clients) {
  describeOffering(offering, () => {
    const revoked = isShared ? '' : ', and no more after the unbind';
    const told = `${library} of Python uses ${offering} with VCAP_SERVICES alone${revoked}.`;
    if (!runsWell(check)) return test.skip(`${told} (skipped: Python has no ${library})`, () => undefined);
    return test(told, async () => {
      const bought = await shop.buy(offering, 'small');
      const bound = await bought.bind();
      const services = await vcapServices(offering, bound);
      await run(program, services);
      await bound.unbind();
      if (!isShared) await expect(run(program, services)).rejects.toThrow();
      await bought.deprovision();
    });
  });
}

/** Has Debian's Python this library? */
function runsWell(check: string): boolean {
  if (!existsSync(python)) return false;
  try {
    execFileSync(python, ['-c', check], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** As Cloud Foundry gives it to an application. */
async function vcapServices(label: string, { credentials }: Bound): Promise<string> {
  const { body } = await shop.broker.ask('get', '/v2/catalog');
  const { services } = body as { services: readonly { name: string; tags: readonly string[] }[] };
  const tags = services.find(({ name }) => name === label)?.tags;
  return JSON.stringify({ [label]: [{ name: `my-${label}`, label, tags, plan: 'small', credentials }] });
}

async function run(program: string, VCAP_SERVICES: string): Promise<void> {
  await promisify(execFile)(python, ['-c', `${finding}${program}`], {
    env: { VCAP_SERVICES },
    timeout: 60_000,
  });
}
