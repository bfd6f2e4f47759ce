import { finished } from 'node:stream/promises';
import express, { type Request, type Response } from 'express';
import { BadCall, type Route } from '../protocols/protocol.ts';
import { readForm } from './form-text.ts';
import { parseJsonText } from './json-text.ts';

/**
 * A request's body as its route wants it, at most 1 MB when unpacked; undefined for an empty one. Throws BadCall
 * 400, 413 or 415.
 */
export async function readBody(kind: Route['body'], request: Request, response: Response): Promise<unknown> {
  const bytes = await readBytes(request, response);
  if (!bytes?.length) return undefined;
  return kind === 'json' || isJson(request) ? parseJsonText(bytes) : readForm(bytes);
}

function isJson({ headers }: Request): boolean {
  const [type = ''] = (headers['content-type'] ?? '').split(';');
  return /^application\/(?:[^/]+\+)?json$/i.test(type.trim());
}

export function hasBody({ headers }: Request): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

/** For routes that want none: what is cut short, or malformed, is not begun. Throws BadCall 400. */
export async function passBody(request: Request): Promise<void> {
  request.resume();
  await finished(request).catch(() => {
    throw badBody({});
  });
}

const raw = express.raw({ type: () => true, limit: '1mb' });

function readBytes(request: Request, response: Response): Promise<Uint8Array | undefined> {
  return new Promise((resolve, reject) => {
    raw(request, response, (error?: unknown) => {
      if (error) reject(badBody(error as { type?: string }));
      else resolve(request.body as Uint8Array | undefined);
    });
  });
}

function badBody({ type }: { readonly type?: string }): BadCall {
  switch (type) {
    case 'entity.too.large':
      return new BadCall(413, 'The request body is larger than 1 MB.');
    case 'encoding.unsupported':
      return new BadCall(415, 'The request body has a Content-Encoding other than gzip, deflate and br.', {
        'Accept-Encoding': 'gzip, deflate, br',
      });
    default:
      return new BadCall(400, 'The request body is incomplete or does not match its Content-Encoding.');
  }
}
