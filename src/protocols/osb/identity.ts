import { isObject, type JsonObject } from '../../broker/json.ts';
import { isStorable } from './storable.ts';

/**
 * X-Broker-API-Originating-Identity: a platform's name and a Base64 JSON object (spec.md, Originating
 * Identity). It never decides anything, so one that cannot be read is reported and else ignored.
 */
export function readIdentity(
  header: string | undefined,
  warn: (message: string) => void,
): JsonObject | undefined {
  if (!header) return undefined;
  const [, platform, encoded] = /^(\S+) +([A-Za-z0-9+/_-]+={0,2})$/.exec(header.trim()) ?? [];
  const value = encoded === undefined ? undefined : readEncoded(encoded);
  if (platform !== undefined && value) return { platform, value };
  warn('The header X-Broker-API-Originating-Identity is not a platform and a Base64 JSON object.');
  return undefined;
}

function readEncoded(encoded: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(utf8.decode(Buffer.from(encoded, 'base64')));
    return isObject(value) && isStorable(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
