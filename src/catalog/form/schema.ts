/**
 * The form of an offering file, as one closed JSON Schema: a key that is not here is a mistake. A `title` is
 * what a message calls the form, a `default` is what an absent key means.
 */
import type { JsonObject } from '../../broker/json.ts';
import { platformKinds } from '../../broker/records.ts';
import { backup, parameters, quota, runningKeys } from './running-keys.ts';
import {
  durationSchema,
  numberOrTemplate,
  semanticVersion,
  sizeSchema,
  textSchema,
  textOrTemplate,
  thing,
  anyObject,
  yesNo,
} from './schema-words.ts';

const parametersSchema = thing({ parameters: anyObject });

const schemas = thing({
  service_instance: thing({ create: parametersSchema, update: parametersSchema }),
  service_binding: thing({ create: parametersSchema }),
});

/** Only keywords that mean the same in every draft. */
const parameterKeywords: JsonObject = {
  type: {
    title: 'the name of a type, or a list of such names',
    anyOf: [
      { $ref: '#/definitions/typeName' },
      { type: 'array', items: { $ref: '#/definitions/typeName' }, minItems: 1, uniqueItems: true },
    ],
  },
  enum: { type: 'array', minItems: 1, uniqueItems: true },
  default: true,
  description: { type: 'string' },
  minimum: { type: 'number' },
  maximum: { type: 'number' },
  pattern: { type: 'string' },
  minLength: { type: 'integer', minimum: 0 },
  maxLength: { type: 'integer', minimum: 0 },
  items: { $ref: '#/definitions/parameter' },
  minItems: { type: 'integer', minimum: 0 },
  maxItems: { type: 'integer', minimum: 0 },
};

const secret = thing({
  per: { type: 'string', enum: ['instance', 'binding'], default: 'instance' },
  length: { type: 'integer', minimum: 8, maximum: 256, default: 32 },
});

const name = { $ref: '#/definitions/name' };

const volumeMount = thing(
  {
    driver: textSchema,
    container_dir: textSchema,
    mode: textOrTemplate('r|rw', 'r or rw'),
    device_type: textOrTemplate('shared', 'shared'),
    device: thing({ volume_id: textSchema, mount_config: anyObject }, ['volume_id']),
  },
  ['driver', 'container_dir', 'mode', 'device_type', 'device'],
);

const endpoint = thing(
  {
    host: textSchema,
    ports: { type: 'array', items: textSchema, minItems: 1 },
    protocol: { ...textOrTemplate('tcp|udp|all', 'tcp, udp or all'), default: 'tcp' },
  },
  ['host', 'ports'],
);

/** What an offering says for all of its plans and a plan may say for itself. */
const perPlan: JsonObject = {
  parameters,
  schemas,
  credentials: anyObject,
  credentials_type: textSchema,
  dashboard: {
    title: 'text that is not blank, or false',
    anyOf: [textSchema, { type: 'boolean', enum: [false] }],
  },
  syslog_drain_url: textSchema,
  route_service_url: textSchema,
  volume_mounts: { type: 'array', items: volumeMount, minItems: 1 },
  endpoints: { type: 'array', items: endpoint, minItems: 1 },
  instance_metadata: thing({
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    attributes: anyObject,
  }),
  binding_metadata: thing({ expires_after: durationSchema, renew_before: durationSchema }, ['expires_after']),
  limits: thing({
    memory: sizeSchema,
    cpu: numberOrTemplate,
    pids: numberOrTemplate,
    files: numberOrTemplate,
    disk: sizeSchema,
  }),
  tls: { ...yesNo, default: false },
  requires_app: { ...yesNo, default: false },
  async: {
    title: 'required, or a list of provision, update, deprovision, bind and unbind',
    anyOf: [
      { type: 'string', enum: ['required'] },
      {
        type: 'array',
        items: { type: 'string', enum: platformKinds },
        uniqueItems: true,
      },
    ],
    default: [],
  },
};

const identity: JsonObject = {
  id: { ...textSchema, maxLength: 255 },
  name: { ...textSchema, maxLength: 255 },
  description: { ...textSchema, maxLength: 10_000 },
};

const sharedMetadata: JsonObject = { displayName: { type: 'string' } };

const plan = thing(
  {
    ...identity,
    free: { ...yesNo, default: true },
    bindable: yesNo,
    plan_updateable: yesNo,
    binding_rotatable: { ...yesNo, default: false },
    maximum_polling_duration: { type: 'integer', minimum: 0 },
    maintenance_info: thing({ version: semanticVersion, description: { type: 'string' } }, ['version']),
    metadata: {
      type: 'object',
      properties: {
        ...sharedMetadata,
        bullets: { type: 'array', items: { type: 'string' } },
        costs: { type: 'array', items: { $ref: '#/definitions/cost' } },
      },
    },
    extensions: anyObject,
    with: { type: 'object', propertyNames: name, default: {} },
    cost: { type: 'number', minimum: 0, default: 1 },
    protected: { ...yesNo, default: false },
    keep_deleted: durationSchema,
    quota,
    backup,
    ...perPlan,
  },
  ['id', 'name', 'description'],
);

const market: JsonObject = {
  ...identity,
  tags: { type: 'array', items: { type: 'string' }, default: [] },
  requires: {
    type: 'array',
    items: { type: 'string', enum: ['syslog_drain', 'route_forwarding', 'volume_mount'] },
    default: [],
  },
  bindable: { ...yesNo, default: true },
  instances_retrievable: { ...yesNo, default: false },
  bindings_retrievable: { ...yesNo, default: false },
  allow_context_updates: { ...yesNo, default: false },
  keeps_ids: { ...yesNo, default: false },
  plan_updateable: { ...yesNo, default: false },
  metadata: {
    type: 'object',
    properties: {
      ...sharedMetadata,
      imageUrl: { type: 'string' },
      longDescription: { type: 'string' },
      providerDisplayName: { type: 'string' },
      documentationUrl: { type: 'string' },
      supportUrl: { type: 'string' },
      shareable: yesNo,
    },
  },
  dashboard_client: thing({ id: textSchema, secret: textSchema, redirect_uri: textSchema }, [
    'id',
    'secret',
    'redirect_uri',
  ]),
  extensions: anyObject,
  plans: { type: 'array', items: plan, minItems: 1 },
};

const making: JsonObject = {
  provisioner: textSchema,
  config: { ...anyObject, default: {} },
  secrets: { type: 'object', propertyNames: name, additionalProperties: secret, default: {} },
  ...perPlan,
  ...runningKeys,
  requires_offerings: {
    type: 'object',
    propertyNames: name,
    additionalProperties: thing(
      { offering: textSchema, plan: textSchema, instance: textSchema, parameters: anyObject },
      ['offering'],
    ),
  },
  max_instances: { type: 'integer', minimum: 1 },
  quota,
  backup,
};

/** JSON Schema, draft 7. */
export const offeringSchema = {
  ...thing({ ...market, ...making }, ['id', 'name', 'description', 'provisioner', 'plans']),
  definitions: {
    name: {
      type: 'string',
      pattern: '^[A-Za-z_][A-Za-z0-9_-]*$',
      title: 'letters, digits, _ and -, no digit first',
    },
    typeName: { type: 'string', enum: ['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'] },
    parameter: thing(parameterKeywords, ['type']),
    cost: {
      type: 'object',
      properties: {
        amount: { type: 'object', additionalProperties: { type: 'number' } },
        unit: { type: 'string' },
      },
      required: ['amount', 'unit'],
    },
  },
} satisfies JsonObject;
