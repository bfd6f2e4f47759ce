import type { Response } from 'supertest';
import request from 'supertest';
import type { Binding, Instance, TrialPlatform } from '../support/trial-platform.ts';

/** What an application does with its credentials. */
export function post(
  { told }: Pick<Binding, 'told'>,
  body: object | string,
  type = 'application/json',
): Promise<Response> {
  const uri = told.credentials?.['uri'] ?? '';
  return postTo(uri, body, type);
}

export async function postTo(
  uri: string,
  body: object | string,
  type = 'application/json',
): Promise<Response> {
  return request(uri)
    .post('')
    .set('content-type', type)
    .send(typeof body === 'string' ? body : JSON.stringify(body));
}

/** The page of an instance, and the counts on it. */
export async function dashboard(
  url: string,
): Promise<{ status: number; type: string; text: string; counts: number[] }> {
  const answer = await fetch(url);
  const text = await answer.text();
  const counts = [...text.matchAll(/<dt>(?:Bindings|Messages)<\/dt><dd>(\d+)<\/dd>/g)].map(([, n]) =>
    Number(n),
  );
  return { status: answer.status, type: answer.headers.get('content-type') ?? '', text, counts };
}

/** The address of the page of this instance, as its platform is told it. */
export async function dashboardOf({ ask }: TrialPlatform, { path }: Instance): Promise<string> {
  const { body } = await ask('get', path);
  const { dashboard_url: url } = body as { dashboard_url: string };
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/dashboard\/[^?]+\?token=.{40}$/);
  return url;
}
