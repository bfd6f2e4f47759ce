/**
 * A broker that does the least that one can: Express, a login, checks of the fields that must be there, objects in
 * memory, a line of log for each request. It remembers nothing beyond its end. Says its port by `process.send`.
 */
import express, { type Request, type Response } from 'express';
import basicAuth from 'express-basic-auth';
import type { AddressInfo } from 'node:net';

const [user = '', password = ''] = (process.argv[2] ?? '').split(':');
const plan = { id: 'plan', name: 'plan', description: 'Kept in memory.' };
const offering = {
  id: 'offering',
  name: 'in-memory',
  description: 'Kept in memory.',
  bindable: true,
  plans: [plan],
};
const instances = new Map<string, { readonly made: object; readonly bindings: Map<string, object> }>();

const app = express();
app.use(express.json());
app.use((request, response, next) => {
  response.on('finish', () => console.log(`${request.method} ${request.originalUrl} ${response.statusCode}`));
  next();
});
app.use(basicAuth({ users: { [user]: password } }));
app.use('/v2', (request, response, next) => {
  if (request.get('x-broker-api-version') === undefined) response.status(412).json({});
  else next();
});
app.get('/v2/catalog', (_request, response) => void response.json({ services: [offering] }));

const instancePath = '/v2/service_instances/:instance';
const bindingPath = `${instancePath}/service_bindings/:binding`;
app.put(instancePath, (request: Request<{ instance: string }>, response) => {
  if (!names(request.body, response, ['service_id', 'plan_id', 'organization_guid', 'space_guid'])) return;
  instances.set(request.params.instance, { made: request.body as object, bindings: new Map() });
  response.status(201).json({ dashboard_url: `http://127.0.0.1/dashboard/${request.params.instance}` });
});
app.put(bindingPath, (request: Request<{ instance: string; binding: string }>, response) => {
  if (!names(request.body, response, ['service_id', 'plan_id'])) return;
  const credentials = { username: request.params.binding, password: 'of no use' };
  instances.get(request.params.instance)?.bindings.set(request.params.binding, credentials);
  response.status(201).json({ credentials });
});
app.delete(bindingPath, (request: Request<{ instance: string; binding: string }>, response) => {
  const was = instances.get(request.params.instance)?.bindings.delete(request.params.binding);
  response.status(was === true ? 200 : 410).json({});
});
app.delete(instancePath, (request: Request<{ instance: string }>, response) => {
  response.status(instances.delete(request.params.instance) ? 200 : 410).json({});
});

function names(body: unknown, response: Response, fields: readonly string[]): boolean {
  const missing = fields.filter((field) => typeof (body as Record<string, unknown>)[field] !== 'string');
  if (missing.length > 0) response.status(400).json({ description: `Missing: ${missing.join(', ')}.` });
  return missing.length === 0;
}

const server = app.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
