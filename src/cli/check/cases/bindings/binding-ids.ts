import { isObject, sameJson, type Json } from '../../../../broker/json.ts';
import { defineCase, type CaseGroup } from '../../case.ts';
import {
  onlyWhen,
  requireAccepted,
  requireNoBreak,
  requireRefused,
  requireStatus,
  requireThat,
  requireWord,
} from '../../probe/findings.ts';
import { bodyOf, freshBinding, freshInstance, keptBinding, removeThing } from '../../probe/lifecycle.ts';
import { isText } from '../../probe/market.ts';
import { requireAbsent, requirePresent } from '../../probe/presence.ts';
import { bindingPath, bindRequest, idOf } from '../../probe/requests.ts';
import { freshPath } from './binding.ts';

const response = 'Binding: Response';
const body = 'Binding: Body';
type Changes = Readonly<Record<string, Json | undefined>>;

/** Whose a binding is: its id, its plan and its application. */
export const bindingIdCases: CaseGroup = {
  name: 'binding',
  cases: [
    defineCase(
      'CAT-45',
      'MUST',
      'Binding',
      'What is bound only asynchronously can be fetched.',
      async (probe) => {
        onlyWhen(!probe.market.bindingsRetrievable, 'Bindings can be fetched.');
        const answer = await probe.send(bindRequest(probe, await freshPath(probe), {}, {}));
        requireThat(
          answer.body['error'] !== 'AsyncRequired',
          'Bindings are made asynchronously only, and cannot be fetched: nobody ever gets what they give.',
          answer,
        );
      },
    ),
    defineCase(
      'BND-06.plan',
      'SHOULD',
      response,
      'An existing id with another service or plan is refused.',
      async (probe) => {
        const { path } = await keptBinding(probe);
        for (const change of [{ service_id: probe.newId() }, { plan_id: probe.newId() }])
          requireRefused(
            await probe.send(bindRequest(probe, path, change)),
            `A bind of an existing id with another ${Object.keys(change).join()}`,
          );
      },
    ),
    defineCase(
      'BND-06.app',
      'HARD',
      response,
      'An existing id with another app is refused.',
      async (probe) => {
        const { path } = await keptBinding(probe);
        const app = { app_guid: 'elsewhere', bind_resource: { app_guid: 'elsewhere' } };
        requireRefused(
          await probe.send(bindRequest(probe, path, app)),
          'A bind of an existing id with another app',
        );
      },
    ),
    defineCase(
      'BND-13',
      'MUST',
      body,
      'A service or plan of another instance leaves nothing behind.',
      async (probe) => {
        const { other } = probe.market;
        const changes: Changes[] = [{ service_id: probe.newId(), plan_id: probe.newId() }];
        if (other) changes.push({ service_id: other.serviceId, plan_id: other.planId });
        for (const change of changes) {
          const path = await freshPath(probe);
          const answer = await probe.send(bindRequest(probe, path, change));
          const subject = 'A bind with the service and plan of another instance';
          requireNoBreak(answer, subject);
          if (answer.status >= 400) await requireAbsent(probe, path, subject, answer);
        }
      },
    ),
    defineCase(
      'BND-15.app',
      'MUST',
      'Bind Resource',
      'The app may be named in either place.',
      async (probe) => {
        await keptBinding(probe);
        const app = probe.newId();
        const places: readonly Changes[] = [
          { app_guid: app, bind_resource: undefined },
          { app_guid: undefined, bind_resource: { app_guid: app } },
          { app_guid: app, bind_resource: { app_guid: app, 'x-conformance': true } },
        ];
        for (const place of places)
          requireAccepted(
            await probe.send(bindRequest(probe, await freshPath(probe), place)),
            `A bind that names its app in ${Object.keys(place)
              .filter((name) => place[name])
              .join(' and ')}`,
          );
      },
    ),
    defineCase(
      'BND-15.empty',
      'SHOULD',
      body,
      'An app that is no text is refused; an empty one is too, or is none.',
      async (probe) => {
        await keptBinding(probe);
        const answerFor = async (app: Json) =>
          probe.send(
            bindRequest(probe, await freshPath(probe), { app_guid: app, bind_resource: { app_guid: app } }),
          );
        for (const app of [17, {}])
          requireStatus(await answerFor(app), [400, 422], 'A bind with an app_guid that is no text');
        // There are platforms that say so that there is no app.
        const subject = 'A bind with an empty app_guid';
        const empty = await answerFor('');
        requireStatus(empty, [200, 201, 202, 400, 422], subject);
        requireWord(empty, 'RequiresApp', subject);
      },
    ),
    defineCase('BND-22', 'CC', body, 'A route service has an https address.', async (probe) => {
      const thing = await keptBinding(probe);
      const { route_service_url: url } = await bodyOf(probe, thing);
      onlyWhen(isText(url), 'Bindings have no route_service_url.');
      requireThat(
        /^https:\/\/[^/]/.test(url),
        'The route_service_url is no https address with a host.',
        thing.answer,
      );
    }),
    defineCase(
      'BND-26',
      'HARD',
      'security',
      'A binding of another instance is never told.',
      async (probe) => {
        const first = await keptBinding(probe);
        const { credentials } = await bodyOf(probe, first);
        onlyWhen(isObject(credentials), 'Bindings have no credentials.');
        const third = (await bodyOf(probe, await freshBinding(probe)))['credentials'];
        onlyWhen(!sameJson(third, credentials), 'All bindings have the same credentials.');
        const other = await freshInstance(probe);
        const path = bindingPath(other.path, idOf(first.path));
        const answer = await probe.send(bindRequest(probe, path));
        requireThat(
          !sameJson(answer.body['credentials'], credentials),
          'A bind of the id of another instance’s binding tells that binding’s credentials.',
          answer,
        );
      },
    ),
    defineCase('BND-27', 'HARD', 'robustness', 'Bindings are independent of each other.', async (probe) => {
      const first = await freshBinding(probe);
      const second = await freshBinding(probe);
      await removeThing(probe, first.path);
      await requirePresent(probe, second.path, 'An unbind of another binding', second.answer);
    }),
  ],
};
