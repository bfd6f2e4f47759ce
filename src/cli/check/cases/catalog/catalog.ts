import { isObject, type Json, type JsonObject } from '../../../../broker/json.ts';
import { defineCase, type CaseGroup } from '../../case.ts';
import { requireStatus, requireThat, Shortcoming } from '../../probe/findings.ts';
import { isText, objectsIn, textOf } from '../../probe/market.ts';
import type { Probe } from '../../probe/probe.ts';

const service = 'Service Offering Object';
const plan = 'Service Plan Object';

/** What the catalog says of offerings and plans. */
export const catalogCases: CaseGroup = {
  name: 'catalog',
  cases: [
    defineCase(
      'CAT-01',
      'MUST',
      'Catalog Management',
      'The catalog is a JSON object with an array of services.',
      async (probe) => {
        const answer = await probe.send({ method: 'GET', path: '/v2/catalog' });
        requireStatus(answer, [200], 'GET /v2/catalog');
        requireThat(Array.isArray(answer.body['services']), 'The catalog has no array `services`.', answer);
        const strange = (answer.body['services'] as readonly Json[]).find((one) => !isObject(one));
        requireThat(strange === undefined, 'One of the services is no object.', answer);
      },
    ),
    defineCase(
      'CAT-02',
      'MUST',
      service,
      'A service has a name.',
      eachService((one) => isText(one['name']), 'has no name'),
    ),
    defineCase('CAT-03', 'MUST', service, 'No two services have the same name.', async ({ market }) => {
      requireDifferent(
        market.services.map((one) => one['name']),
        'services have the name',
      );
    }),
    defineCase('CAT-05', 'MUST', service, 'A service has an id, and no other one has it.', async (probe) => {
      await eachService((one) => isText(one['id']), 'has no id')(probe);
      requireDifferent(
        probe.market.services.map((one) => one['id']),
        'services have the id',
      );
    }),
    defineCase(
      'CAT-07',
      'MUST',
      service,
      'A service has a description.',
      eachService((one) => isText(one['description']), 'has no description'),
    ),
    defineCase(
      'CAT-08',
      'MUST',
      service,
      'Tags are texts.',
      eachService(({ tags }) => isNothing(tags) || areTexts(tags), 'has tags that are no array of texts'),
    ),
    defineCase(
      'CAT-09',
      'MUST',
      service,
      'Requires names nothing but syslog_drain, route_forwarding and volume_mount.',
      eachService(
        ({ requires }) =>
          isNothing(requires) || (areTexts(requires) && requires.every((one) => permissions.has(one))),
        'requires what is not defined',
      ),
    ),
    defineCase(
      'CAT-10',
      'MUST',
      service,
      'A service says whether it can be bound.',
      eachService(
        ({ bindable }) => typeof bindable === 'boolean',
        'does not say by a boolean whether it is bindable',
      ),
    ),
    defineCase(
      'CAT-11',
      'MUST',
      service,
      'The flags of a service are booleans.',
      eachService((one) => serviceFlags.every((name) => isFlag(one[name])), 'has a flag that is no boolean'),
    ),
    defineCase('CAT-12', 'MUST', service, 'Metadata is an object.', async (probe) => {
      const wrong = ({ metadata }: JsonObject) => isAbsent(metadata) || isObject(metadata);
      await eachService(wrong, 'has metadata that is no object')(probe);
      await eachPlan(wrong, 'has metadata that is no object')(probe);
    }),
    defineCase(
      'CAT-13',
      'MUST',
      'Catalog Extensions (profile)',
      'A dashboard client has an id and a secret.',
      eachService(
        ({ dashboard_client: client }) => isAbsent(client) || isDashboardClient(client),
        'has a dashboard_client without id and secret',
      ),
    ),
    defineCase(
      'CAT-14',
      'MUST',
      service,
      'A service has at least one plan.',
      eachService((one) => objectsIn(one['plans']).length > 0, 'has no plan'),
    ),
    defineCase('CAT-15', 'MUST', plan, 'A plan has an id, and no other one has it.', async (probe) => {
      await eachPlan((one) => isText(one['id']), 'has no id')(probe);
      requireDifferent(
        allPlans(probe).map((one) => one['id']),
        'plans have the id',
      );
    }),
    defineCase(
      'CAT-16',
      'MUST',
      plan,
      'A plan has a name, which no other plan of its service has.',
      async (probe) => {
        await eachPlan((one) => isText(one['name']), 'has no name')(probe);
        for (const one of probe.market.services)
          requireDifferent(
            objectsIn(one['plans']).map(({ name }) => name),
            'plans of a service have the name',
          );
      },
    ),
    defineCase(
      'CAT-17',
      'MUST',
      plan,
      'A plan has a description.',
      eachPlan((one) => isText(one['description']), 'has no description'),
    ),
    defineCase(
      'CAT-18',
      'MUST',
      plan,
      'The flags of a plan are booleans, its longest polling duration is a whole number.',
      eachPlan(
        (one) =>
          planFlags.every((name) => isFlag(one[name])) && isWholeNumber(one['maximum_polling_duration']),
        'has a flag that is no boolean, or a maximum_polling_duration that is no whole number',
      ),
    ),
    defineCase('CAT-29', 'MUST', 'Catalog Management', 'Ids do not change.', async (probe) => {
      const answer = await probe.send({ method: 'GET', path: '/v2/catalog' });
      const idsIn = (catalog: JsonObject) =>
        objectsIn(catalog['services']).flatMap((one) => [
          one['id'],
          ...objectsIn(one['plans']).map(({ id }) => id),
        ]);
      const now = new Set(idsIn(answer.body));
      const gone = idsIn(probe.market.catalog).filter((id) => !now.has(id));
      requireThat(
        gone.length === 0,
        `The catalog has lost ids since it was read before: ${gone.map(textOf).join(', ')}.`,
        answer,
      );
    }),
  ],
};

const permissions: ReadonlySet<Json> = new Set(['syslog_drain', 'route_forwarding', 'volume_mount']);
const serviceFlags = [
  'instances_retrievable',
  'bindings_retrievable',
  'allow_context_updates',
  'plan_updateable',
];
const planFlags = ['free', 'bindable', 'binding_rotatable', 'plan_updateable'];

export function allPlans({ market }: Probe): readonly JsonObject[] {
  return market.services.flatMap((one) => objectsIn(one['plans']));
}

/** @param wrong what is wrong with one, as the end of a sentence */
export function eachService(isRight: (service: JsonObject) => boolean, wrong: string) {
  return async ({ market }: Probe): Promise<void> => requireEach('service', market.services, isRight, wrong);
}

export function eachPlan(isRight: (plan: JsonObject) => boolean, wrong: string) {
  return async (probe: Probe): Promise<void> => requireEach('plan', allPlans(probe), isRight, wrong);
}

function requireEach(
  kind: string,
  all: readonly JsonObject[],
  isRight: (one: JsonObject) => boolean,
  wrong: string,
): void {
  const found = all.find((one) => !isRight(one));
  if (!found) return;
  const name = found['name'] ?? found['id'];
  throw new Shortcoming(`The ${kind} ${JSON.stringify(name) ?? '(unnamed)'} ${wrong}.`);
}

/** @param what as the middle of a sentence: `services have the id` @throws Shortcoming */
export function requireDifferent(values: readonly (Json | undefined)[], what: string): void {
  const texts = values.filter((value) => value !== undefined);
  const twice = texts.find((value, index) => texts.indexOf(value) !== index);
  requireThat(twice === undefined, `Two ${what} ${JSON.stringify(twice)}.`);
}

/** Null is lawful here; what Cloud Controller makes of it is told by CAT-44. */
function isNothing(value: Json | undefined): value is null | undefined {
  return value === undefined || value === null;
}

export function isAbsent(value: Json | undefined): value is undefined {
  return value === undefined;
}

function areTexts(value: Json | undefined): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function isFlag(value: Json | undefined): boolean {
  return value === undefined || typeof value === 'boolean';
}

function isWholeNumber(value: Json | undefined): boolean {
  return value === undefined || Number.isInteger(value);
}

function isDashboardClient(client: Json): boolean {
  if (!isObject(client)) return false;
  const { id, secret, redirect_uri: redirect } = client;
  return isText(id) && isText(secret) && (redirect === undefined || typeof redirect === 'string');
}
