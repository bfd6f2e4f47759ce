import { randomUUID } from 'node:crypto';
import type { Response } from 'supertest';
import type { Instance, Sent, TrialPlatform } from '../support/trial-platform.ts';

type Answer = Pick<Response, 'status' | 'body'>;

/** A bind that must be refused, and neither it nor anything else is there afterwards. */
export function refusedBinds({ bind, refused }: TrialPlatform) {
  return async (on: Instance, sent: Sent): Promise<Answer> => {
    const id = sent.id ?? randomUUID();
    const { status, body } = await refused(() => bind(on, { ...sent, id }));
    return { status, body: body as unknown };
  };
}

/** The answer 400 that names this field. */
export function invalid(field: string): object {
  const description = expect.stringContaining(field) as string;
  return { status: 400, body: { error: 'BadRequest', description } };
}
