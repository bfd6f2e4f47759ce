import type { JsonObject } from '../../broker/json.ts';
import { defineCommand, type CliCommand } from '../command.ts';
import { argument, flag, option, optionWithDefault, someText } from '../parameters.ts';
import { brokerOfHere } from './broker-of-here.ts';
import { parametersOption as parameters } from './parameters.ts';
import { membersOf, tellProgress } from './show.ts';
import { findSoldPlan, findSiblingPlan, servicePath, planOfAny, planOfInstance } from './sold.ts';
import { printFor } from '../output/print.ts';

const instance = argument('instance', someText(), 'the name of the instance, which is its id');
const binding = argument('binding', someText(), 'the name of the binding, which is its id');
const json = flag('--json', 'the answer of the broker as JSON');

/** What a platform does for its users, for whoever has none at hand: instances and their bindings. */
export const serviceCommands: readonly CliCommand[] = [
  defineCommand({
    words: 'create',
    description: 'Make a service instance, as a platform does.',
    arguments: [
      argument('offering', someText(), 'the name of the service offering'),
      argument('plan', someText(), 'the name of its plan'),
      instance,
    ],
    options: {
      parameters,
      organization: optionWithDefault('--organization <id>', someText(), 'cli', 'whose it is'),
      space: optionWithDefault('--space <id>', someText(), 'cli', 'where it is'),
      json,
    },
    async run([offering, plan, id], { parameters: given, organization, space, json: asJson }) {
      const client = await brokerOfHere();
      const body = {
        ...(await findSoldPlan(client, offering, plan)),
        organization_guid: organization,
        space_guid: space,
        parameters: given,
      };
      const { status, body: last } = await client.carryOut(
        { method: 'PUT', path: servicePath(id), body },
        tellProgress,
      );
      const there = status === 200 && last['state'] === undefined;
      return tell(asJson, last, `${id} ${there ? 'was there already' : 'is ready'}.`, dashboardIn(last));
    },
  }),
  defineCommand({
    words: 'update',
    description: 'Change the plan or the parameters of a service instance.',
    arguments: [instance],
    options: { plan: option('--plan <name>', someText(), 'the name of its new plan'), parameters, json },
    async run([id], { plan, parameters: given, json: asJson }) {
      const client = await brokerOfHere();
      const now = await planOfInstance(client, id);
      const next = plan === undefined ? now : await findSiblingPlan(client, now.service_id, plan);
      const body = { ...next, parameters: given, previous_values: now };
      const { body: last } = await client.carryOut(
        { method: 'PATCH', path: servicePath(id), body },
        tellProgress,
      );
      return tell(asJson, last, `${id} is updated.`);
    },
  }),
  defineCommand({
    words: 'bind',
    description: 'Make a binding of a service instance and show its credentials.',
    arguments: [instance, binding],
    options: { parameters, json },
    async run([id, name], { parameters: given, json: asJson }) {
      const client = await brokerOfHere();
      const path = servicePath(id, name);
      const body = { ...(await planOfInstance(client, id)), parameters: given };
      const made = await client.carryOut({ method: 'PUT', path, body }, tellProgress);
      // What has taken its time tells only that it has ended.
      const { body: answer } = made.body['state'] === undefined ? made : await client.read(path);
      return tell(asJson, answer, credentialsIn(answer));
    },
  }),
  defineCommand({
    words: 'credentials',
    description: 'Show the credentials of a binding.',
    arguments: [instance, binding],
    options: { json },
    async run([id, name], { json: asJson }) {
      const { body } = await (await brokerOfHere()).read(servicePath(id, name));
      return tell(asJson, body, credentialsIn(body));
    },
  }),
  defineCommand({
    words: 'unbind',
    description: 'Remove a binding: its credentials are good for nothing any more.',
    arguments: [instance, binding],
    options: { json },
    run: async ([id, name], { json: asJson }) => remove(id, name, asJson),
  }),
  defineCommand({
    words: 'delete',
    description: 'Delete a service instance and all that is in it.',
    arguments: [instance],
    options: { json },
    run: async ([id], { json: asJson }) => remove(id, undefined, asJson),
  }),
];

async function remove(
  instanceId: string,
  bindingId: string | undefined,
  asJson: true | undefined,
): Promise<number> {
  const client = await brokerOfHere();
  const query = { ...(await planOfAny(client, instanceId)) };
  const request = { method: 'DELETE', path: servicePath(instanceId, bindingId), query } as const;
  const { status, body } = await client.carryOut(request, tellProgress);
  const name = bindingId ?? instanceId;
  const wasGone = status === 410 && body['state'] === undefined && bindingId !== undefined;
  return tell(asJson, body, `${name} ${wasGone ? 'was not there' : 'is removed'}.`);
}

/** Gives the exit code of what has succeeded. */
function tell(
  asJson: true | undefined,
  answer: JsonObject,
  ...lines: readonly (string | undefined)[]
): number {
  printFor(asJson, answer, lines.filter(Boolean).join('\n'));
  return 0;
}

function dashboardIn({ dashboard_url: url }: JsonObject): string | undefined {
  return typeof url === 'string' ? `dashboard  ${url}` : undefined;
}

function credentialsIn({ credentials, ...rest }: JsonObject): string {
  const { parameters: _ofUser, ...others } = rest;
  return membersOf({ ...(credentials as JsonObject | undefined), ...others });
}
