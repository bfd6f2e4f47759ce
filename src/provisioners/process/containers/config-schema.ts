import { type JsonObject, jsonOf, memberOf } from '../../../broker/json.ts';
import { configSchema, fills } from '../config-schema.ts';

/** The form of an image's name, with a tag or digest. It is checked again when its templates are filled. */
const image = {
  type: 'string',
  minLength: 1,
  maxLength: 400,
  title: 'the name of an image, with a tag or digest',
};

/** As `config:` of a process offering, with what a container is made from and where it listens. */
export const containerConfigSchema: JsonObject = jsonOf({
  ...configSchema,
  properties: { image, ...memberOf(configSchema, 'properties') },
  definitions: { ...memberOf(configSchema, 'definitions'), process: processInContainer() },
});

function processInContainer(): JsonObject {
  const process = memberOf(memberOf(configSchema, 'definitions'), 'process');
  const ports = { type: 'array', items: { $ref: '#/definitions/name' }, uniqueItems: true };
  return { ...process, properties: { image, ports, ...memberOf(process, 'properties') } };
}

export const containerFills = {
  image: 'text',
  'processes.*.image': 'text',
  ...fills,
} as const;
