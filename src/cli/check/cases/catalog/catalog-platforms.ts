import { isObject, type Json, type JsonObject } from '../../../../broker/json.ts';
import { defineCase, type CaseGroup } from '../../case.ts';
import { onlyWhen, requireStatus, requireThat } from '../../probe/findings.ts';
import { isText, objectsIn, textOf } from '../../probe/market.ts';
import type { Probe } from '../../probe/probe.ts';
import { eachPlan, eachService, isAbsent, requireDifferent } from './catalog.ts';

/** What platforms make of a catalog, and how it is sent. */
export const catalogPlatformCases: CaseGroup = {
  name: 'catalog',
  cases: [
    defineCase(
      'CAT-27',
      'SHOULD',
      'Catalog Management',
      'Ids, names and descriptions have at most 255 characters.',
      async (probe) => {
        const isShort = (one: JsonObject) =>
          ['id', 'name', 'description'].every((name) => textOf(one[name]).length <= 255);
        await eachService(isShort, 'has an id, name or description of more than 255 characters')(probe);
        await eachPlan(isShort, 'has an id, name or description of more than 255 characters')(probe);
      },
    ),
    defineCase(
      'CAT-28',
      'SHOULD',
      'Service Metadata (profile)',
      'Conventional metadata has its conventional types.',
      async (probe) => {
        await eachService(hasConventions, 'has metadata of another type than is usual')(probe);
        await eachPlan(hasConventions, 'has metadata of another type than is usual')(probe);
      },
    ),
    defineCase(
      'CAT-30',
      'SHOULD',
      'Catalog Management; RFC 9110',
      'The catalog is not sent again to who has its ETag.',
      async (probe) => {
        const { etag } = (await probe.send({ method: 'GET', path: '/v2/catalog' })).headers;
        onlyWhen(etag !== undefined, 'The catalog has no ETag.');
        requireStatus(
          await conditional(probe, 'if-none-match', etag),
          [304],
          'GET /v2/catalog with If-None-Match of its ETag',
        );
        requireStatus(
          await conditional(probe, 'if-none-match', '"another"'),
          [200],
          'GET /v2/catalog with If-None-Match of another ETag',
        );
      },
      17,
    ),
    defineCase(
      'CAT-31',
      'SHOULD',
      'Catalog Management; RFC 9110',
      'The catalog is not sent again when it has not changed since a date.',
      async (probe) => {
        const { 'last-modified': date } = (await probe.send({ method: 'GET', path: '/v2/catalog' })).headers;
        onlyWhen(date !== undefined, 'The catalog has no Last-Modified.');
        requireStatus(
          await conditional(probe, 'if-modified-since', date),
          [304],
          'GET /v2/catalog with If-Modified-Since of its date',
        );
        requireStatus(
          await conditional(probe, 'if-modified-since', new Date(0).toUTCString()),
          [200],
          'GET /v2/catalog with If-Modified-Since of long ago',
        );
      },
      17,
    ),
    defineCase('CAT-32', 'HARD', 'RFC 9110', 'Odd conditions and queries are ignored.', async (probe) => {
      for (const name of ['if-none-match', 'if-modified-since'])
        requireStatus(
          await conditional(probe, name, 'no such thing'),
          [200],
          `GET /v2/catalog with an odd ${name}`,
        );
      requireStatus(
        await probe.send({ method: 'GET', path: '/v2/catalog', query: { unknown: '1' } }),
        [200],
        'GET /v2/catalog with an unknown query',
      );
    }),
    defineCase('CAT-40', 'CC', 'Cloud Controller', 'The catalog is not empty.', async ({ market }) => {
      onlyWhen(Array.isArray(market.catalog['services']), 'The catalog has no array of services.');
      requireThat(market.services.length > 0, 'The catalog has no service.');
    }),
    defineCase(
      'CAT-41',
      'CC',
      'Cloud Controller',
      'Descriptions and tags are not too long for Cloud Controller.',
      eachService(
        ({ description, tags }) =>
          textOf(description).length <= 10_000 && (!Array.isArray(tags) || tags.join('').length <= 2048),
        'has a description or tags that are too long',
      ),
    ),
    defineCase(
      'CAT-42',
      'CC',
      'Cloud Controller',
      'Maintenance info has nothing but version and description.',
      eachPlan(
        ({ maintenance_info: info }) =>
          !isObject(info) ||
          (Object.keys(info).every((name) => ['version', 'description'].includes(name)) &&
            textOf(info['description']).length <= 2000),
        'has more in its maintenance_info',
      ),
    ),
    defineCase(
      'CAT-43',
      'CC',
      'Cloud Controller',
      'No text is blank, and dashboard clients are whole and differ.',
      async (probe) => {
        const isFull = (one: JsonObject) =>
          ['id', 'name', 'description'].every((name) => !/^\s+$/.test(textOf(one[name])));
        await eachService(isFull, 'has a blank id, name or description')(probe);
        await eachPlan(isFull, 'has a blank id, name or description')(probe);
        const clientOf = (one: JsonObject) => objectsIn([one['dashboard_client'] ?? null])[0];
        await eachService((one) => {
          const client = clientOf(one);
          return client === undefined || isText(client['redirect_uri']);
        }, 'has a dashboard_client without redirect_uri')(probe);
        const ids = probe.market.services.map((one) => clientOf(one)?.['id']);
        requireDifferent(ids, 'dashboard clients have the id');
      },
    ),
    defineCase(
      'CAT-44',
      'CC',
      'Cloud Controller',
      'Tags and requires are not null.',
      eachService(({ tags, requires }) => tags !== null && requires !== null, 'has tags or requires of null'),
    ),
  ],
};

const conventions: Readonly<Record<string, (value: Json) => boolean>> = {
  displayName: (value) => typeof value === 'string',
  longDescription: (value) => typeof value === 'string',
  imageUrl: (value) => typeof value === 'string',
  documentationUrl: (value) => typeof value === 'string',
  supportUrl: (value) => typeof value === 'string',
  providerDisplayName: (value) => typeof value === 'string',
  shareable: (value) => typeof value === 'boolean',
  bullets: (value) => Array.isArray(value) && value.every((one) => typeof one === 'string'),
  costs: (value) => Array.isArray(value) && value.every((one) => isObject(one)),
};

function hasConventions({ metadata }: JsonObject): boolean {
  if (!isObject(metadata)) return true;
  return Object.entries(conventions).every(
    ([name, isUsual]) => isAbsent(metadata[name]) || isUsual(metadata[name]),
  );
}

function conditional(probe: Probe, name: string, value: string) {
  return probe.send({ method: 'GET', path: '/v2/catalog', headers: { [name]: value } });
}
