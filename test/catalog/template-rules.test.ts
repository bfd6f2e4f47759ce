import { aPlan, guid, traits } from './folder.ts';
import { type Row, created, holds } from './rule-rows.ts';

/** The rules for templates: what each place may name. */

describe('Templates', () => {
  const secrets = { password: {}, token: { per: 'binding' } };
  test.each<Row>([
    [
      'have the form of one',
      { credentials: { a: '{{', b: '{{node.host | hex}}' } },
      [
        'credentials.a: An expression is {{path}} or {{path | filter}}, nothing else: {{',
        `credentials.b: There is no filter 'hex'; there are uri, json, base64, quoted, sh.`,
      ],
    ],
    [
      'stand in values, not in names',
      { credentials: { '{{node.host}}': 1 } },
      ['credentials["{{node.host}}"]: A name cannot hold a template.'],
    ],
    [
      'use what is known',
      { credentials: { a: '{{server.host}}' } },
      [
        'credentials.a: {{server.host}}: There is no server; there are: params, plan, secrets, instance, binding, broker, node, ports, deps.',
      ],
    ],
    [
      'use all that is known',
      {
        secrets,
        parameters: { size: { type: 'integer', default: 1 } },
        plans: [aPlan({ with: { memory: 1 } })],
        credentials: {
          a: '{{params.size}}',
          b: '{{plan.memory}}',
          c: '{{secrets.password}}',
          d: '{{secrets.token}}',
          e: '{{instance.id}}{{instance.key}}{{instance.name}}{{instance.plan}}',
          f: '{{instance.offering}}{{instance.organization}}{{instance.space}}',
          g: '{{binding.id}}{{binding.key}}{{binding.app}}{{binding.route}}',
          h: '{{broker.url}}',
          i: '{{ports.main}}',
        },
      },
      [],
    ],
    [
      'use words of the instance',
      { dashboard: 'https://{{instance.owner}}' },
      [
        'dashboard: {{instance.owner}}: There are: id, platform, platform_id, key, name, plan, offering, organization, space, cluster, pool.',
      ],
    ],
    ['use words of the broker', { dashboard: '{{broker}}' }, ['dashboard: {{broker}}: There are: url.']],
    [
      'use secrets that there are',
      { dashboard: 'https://x/{{secrets.word}}', credentials: { a: '{{secrets}}' } },
      [
        'credentials.a: {{secrets}}: There is no such secret.',
        'dashboard: {{secrets.word}}: There is no such secret.',
      ],
    ],
    [
      'use parameters that there are',
      { credentials: { a: '{{params.size}}' } },
      ["credentials.a: {{params.size}}: The plan 'small' declares no such parameter."],
    ],
    [
      'use parameters that always have a value',
      { ...created({ properties: { size: {} } }), credentials: { a: '{{params.size}}' } },
      ['credentials.a: {{params.size}}: The parameter may be missing: require it or give it a default.'],
    ],
    [
      'may use a required parameter',
      { ...created({ properties: { size: {} }, required: ['size'] }), credentials: { a: '{{params.size}}' } },
      [],
    ],
    [
      'write no list into text',
      {
        parameters: { names: { type: 'array' }, word: { type: ['string', 'null'] } },
        credentials: {
          a: 'x{{params.names}}',
          b: '{{params.names}}',
          c: 'x{{params.names | json}}',
          e: '{{params.word}}',
          f: '{{params.word | uri}}',
          d: '{{params | sh}}',
        },
      },
      [
        'credentials.a: {{params.names}}: Only the filter json can write a list, an object or null into text.',
        'credentials.d: {{params | sh}}: Only the filter json can write a list, an object or null into text.',
        'credentials.f: {{params.word | uri}}: Only the filter json can write a list, an object or null into text.',
      ],
    ],
    [
      'look into objects only',
      {
        parameters: { a: { type: 'string' }, b: { type: 'object' } },
        credentials: { a: '{{params.a.x}}', b: '{{params.b.x}}' },
      },
      ['credentials.a: {{params.a.x}}: It has no members.'],
    ],
    [
      'use what every plan sets',
      {
        credentials: { a: '{{plan.memory}}' },
        plans: [aPlan({ with: { memory: 1 } }), aPlan({ id: guid(3), name: 'large' })],
      },
      ["credentials.a: {{plan.memory}}: The plan 'large' does not set it in with."],
    ],
    [
      'keep binding values out of the dashboard',
      { secrets, dashboard: '{{broker.url}}/{{binding.id}}/{{secrets.token}}/{{secrets.password}}' },
      [
        'dashboard: {{binding.id}}: It belongs to one binding, and this place to the instance.',
        'dashboard: {{secrets.token}}: It belongs to one binding, and this place to the instance.',
      ],
    ],
    [
      'keep binding values out of config',
      { secrets, config: { note: '{{secrets.token}}' } },
      ['config.note: {{secrets.token}}: It belongs to one binding, and this place to the instance.'],
    ],
    [
      'let the dashboard name where it runs',
      {
        dashboard: 'https://{{node.host}}/{{instance.key}}/{{plan.memory}}',
        plans: [aPlan({ with: { memory: 1 } })],
      },
      [],
    ],
    [
      'keep all that is confidential out of a dashboard that names where it runs',
      {
        secrets,
        parameters: { a: { type: 'string', default: '' } },
        dashboard: 'https://{{node.host}}/{{secrets.password}}/{{params.a}}',
      },
      ['params.a', 'secrets.password'].map(
        (path) =>
          `dashboard: {{${path}}}: A dashboard with what is known only when the instance is made is told to everybody, so it holds nothing confidential.`,
      ),
    ],
    [
      'keep secrets out of instance_metadata',
      { secrets, instance_metadata: { labels: { a: '{{secrets.password}}', b: '{{node.host}}' } } },
      [
        'instance_metadata.labels.a: {{secrets.password}}: A secret cannot be used here, for platforms show this to everybody.',
      ],
    ],
    [
      'keep secrets off command lines',
      {
        secrets,
        config: { run: ['x', '{{secrets.password}}'] },
        hooks: { bind: { run: ['y', '{{secrets.token}}', '{{binding.id}}'] } },
      },
      [
        'config.run[1]: {{secrets.password}}: A secret on a command line is seen by everybody on the machine.',
        'hooks.bind.run[1]: {{secrets.token}}: A secret on a command line is seen by everybody on the machine.',
      ],
    ],
    [
      'keep binding values out of hooks of the instance',
      { hooks: { start: { run: ['y', '{{binding.id}}'] } } },
      ['hooks.start.run[1]: {{binding.id}}: It belongs to one binding, and this place to the instance.'],
    ],
    [
      'use dependencies that there are',
      { credentials: { a: '{{deps.cache.uri}}' } },
      [`credentials.a: {{deps.cache.uri}}: requires_offerings has no 'cache'.`],
    ],
    [
      'of a plan stand in its own words',
      { plans: [aPlan({ credentials: { a: '{{x.y}}' } })] },
      [
        'plans[0].credentials.a: {{x.y}}: There is no x; there are: params, plan, secrets, instance, binding, broker, node, ports, deps.',
      ],
    ],
    [
      'are not checked for facts of a provisioner that nobody knows',
      { provisioner: 'magic', credentials: { a: '{{wand.tip}}{{secrets.x}}' } },
      [
        'credentials.a: {{secrets.x}}: There is no such secret.',
        `provisioner: There is no such provisioner. There are: ${Object.keys(traits).join(', ')}.`,
      ],
    ],
    [
      'are no part of with',
      { plans: [aPlan({ with: { note: '{{params.size}}' } })] },
      ['plans[0].with: The braces {{ stay as they are here: a plan fixes values. (warning)'],
    ],
  ])('Templates: %s.', holds);
});
