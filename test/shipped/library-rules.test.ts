import { isObject, type JsonObject } from '../../src/broker/json.ts';
import { loadCatalog } from '../../src/catalog/load.ts';
import { renderPlan } from '../../src/catalog/rendered-plan.ts';
import { shippedTraits } from '../../src/program/shipped.ts';

/** How libraries find a service among those of an application, and what they read of it; written after their sources. */

/** An entry of VCAP_SERVICES. */
interface Bound {
  readonly label: string;
  readonly tags: readonly string[];
  readonly credentials: JsonObject;
}

async function boundTo(label: string): Promise<Bound> {
  const { catalog } = await loadCatalog(['catalog'], shippedTraits());
  const offering = catalog?.offerings.find(({ name }) => name === label);
  const plan = offering?.plans[0];
  if (!offering || !plan) throw new Error(`There is no ${label}.`);
  const { credentials } = renderPlan(plan, {});
  if (!isObject(credentials)) throw new Error(`There are no credentials of ${label}.`);
  return { label, tags: offering.tags, credentials };
}

const hasTag =
  (...tags: readonly string[]) =>
  (bound: Bound) =>
    bound.tags.some((tag) => tags.includes(tag));
const labelStarts = (text: string) => (bound: Bound) => bound.label.startsWith(text);
const schemeOf =
  (...schemes: readonly string[]) =>
  ({ credentials }: Bound) =>
    schemes.some((scheme) =>
      [credentials['uri'], credentials['url']].every((it) => textIn(it).startsWith(`${scheme}:`)),
    );
const jdbcOf =
  (scheme: string) =>
  ({ credentials }: Bound) =>
    textIn(credentials['jdbcUrl']).startsWith(`jdbc:${scheme}://`);

type Rule = readonly [
  name: string,
  offering: string,
  finds: (bound: Bound) => boolean,
  reads: readonly string[],
];

const rules: readonly Rule[] = [
  ['java-cfenv by the tag redis', 'redis', hasTag('redis'), ['uri', 'host', 'port', 'password']],
  ['java-cfenv by the scheme redis', 'redis', schemeOf('redis'), ['uri']],
  ['java-cfenv by the tag rabbitmq', 'rabbitmq', hasTag('rabbitmq', 'amqp'), ['uri', 'username', 'vhost']],
  ['RabbitMQ for Cloud Foundry', 'rabbitmq', labelStarts('rabbitmq'), ['http_api_uri', 'dashboard_url']],
  ['java-cfenv by the label rabbitmq', 'rabbitmq', labelStarts('rabbitmq'), ['uri']],
  ['java-cfenv by the scheme amqp', 'rabbitmq', schemeOf('amqp', 'amqps'), ['uri']],
  ['java-cfenv by the tag mysql', 'mariadb', hasTag('mysql'), ['jdbcUrl']],
  ['java-cfenv by the scheme mysql', 'mariadb', schemeOf('mysql'), ['uri']],
  ['java-cfenv by jdbcUrl', 'mariadb', jdbcOf('mysql'), ['jdbcUrl']],
  ['java-cfenv by the tag postgresql', 'postgres', hasTag('postgresql'), ['jdbcUrl']],
  ['java-cfenv by the scheme postgres', 'postgres', schemeOf('postgres', 'postgresql'), ['uri']],
  ['java-cfenv by jdbcUrl', 'postgres', jdbcOf('postgresql'), ['jdbcUrl']],
  ['Steeltoe', 'redis', hasTag('redis'), ['host', 'port', 'password']],
  ['Steeltoe', 'mariadb', hasTag('mysql'), ['hostname', 'port', 'name', 'username', 'password']],
  ['Steeltoe', 'postgres', hasTag('postgresql'), ['hostname', 'port', 'name', 'username', 'password']],
  [
    'Steeltoe',
    'rabbitmq',
    hasTag('rabbitmq'),
    ['host', 'port', 'username', 'password', 'vhost'].map((name) => `protocols.amqp.${name}`),
  ],
  ['spring-cloud-bindings', 'redis', ofType('redis'), ['host', 'port', 'password', 'url']],
  [
    'spring-cloud-bindings',
    'rabbitmq',
    ofType('rabbitmq'),
    ['host', 'port', 'username', 'password', 'virtual-host'],
  ],
  ['spring-cloud-bindings', 'mariadb', ofType('mysql'), ['host', 'port', 'database', 'username', 'password']],
  [
    'spring-cloud-bindings',
    'postgres',
    ofType('postgresql'),
    ['host', 'port', 'database', 'username', 'password', 'sslmode'],
  ],
  [
    'node-cfenv by the name of the service',
    'nats',
    labelStarts('nats'),
    ['url', 'uri', 'host', 'port', 'username', 'password'],
  ],
  ['clients of MQTT', 'mqtt', hasTag('mqtt'), ['uri', 'host', 'port', 'username', 'password']],
  ['clients of memcached', 'memcached', hasTag('memcached'), ['servers', 'uri', 'username', 'password']],
];

/** The directory that a Service Binding is has a file `type`, and `provider` tells two of a type apart. */
function ofType(type: string): (bound: Bound) => boolean {
  return ({ credentials }) => credentials['type'] === type && credentials['provider'] === 'purveyor';
}

test.each(rules)('The library %s finds %s, and what it reads there.', async (_, offering, finds, reads) => {
  const bound = await boundTo(offering);
  expect(finds(bound)).toBe(true);
  expect(reads.filter((path) => valueAt(path, bound.credentials) === undefined)).toEqual([]);
});

test.each(['redis', 'rabbitmq', 'mariadb', 'memcached', 'nats', 'etcd', 'mqtt'])(
  'The port of %s is a number.',
  async (offering) => {
    expect(typeof (await boundTo(offering)).credentials['port']).toBe('number');
  },
);

function textIn(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function valueAt(path: string, credentials: JsonObject): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, name) => (value as JsonObject | undefined)?.[name], credentials);
}
