/** How it is made. */
export const makingMeanings: Readonly<Record<string, string>> = {
  provisioner: 'Who makes it, by name',
  config:
    'What the provisioner must know: the section of each says what may stand here. Strings may hold templates of the instance, where the provisioner fills them',
  secrets:
    'Random letters and digits that the broker makes and keeps encrypted, `{{secrets.x}}` in templates',
  'secrets.<name>.per':
    'One for the instance, or a new one for each binding, so that unbinding takes it back',
  'secrets.<name>.length': 'Characters, 8 to 256',
};

/** Parameters that are described alone. */
export const parameterMeanings: Readonly<Record<string, string>> = {
  parameters:
    'The parameters, `{{params.x}}` in templates; a name has letters, digits, _ and - and no digit first',
  'parameters.<name>.type': 'array, boolean, integer, null, number, object or string',
  'parameters.<name>.enum': 'The values there are',
  'parameters.<name>.default': 'The value when the user gives none',
  'parameters.<name>.description': 'What it is, for users',
  'parameters.<name>.minimum': 'The least value',
  'parameters.<name>.maximum': 'The greatest value',
  'parameters.<name>.pattern': 'A regular expression, of any kind, see below',
  'parameters.<name>.minLength': 'The least number of characters',
  'parameters.<name>.maxLength': 'The greatest number of characters',
  'parameters.<name>.items': 'What each item of a list is, in the same words',
  'parameters.<name>.minItems': 'The least number of items',
  'parameters.<name>.maxItems': 'The greatest number of items',
};

/** Whole JSON Schemas. */
export const schemaMeanings: Readonly<Record<string, string>> = {
  schemas: 'As in the Open Service Broker API',
  'schemas.service_instance': 'Of instances',
  'schemas.service_instance.create': 'At provisioning',
  'schemas.service_instance.create.parameters': 'The schema',
  'schemas.service_instance.update':
    'At an update; the given parameters take the place of their namesakes, the others stay',
  'schemas.service_instance.update.parameters': 'The schema',
  'schemas.service_binding': 'Of bindings',
  'schemas.service_binding.create': 'At a bind',
  'schemas.service_binding.create.parameters':
    'The schema; these parameters are checked; hooks and the provisioner `directory` are given them, and no template sees them',
};
