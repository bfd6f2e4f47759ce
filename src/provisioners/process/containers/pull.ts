import { readFile } from 'node:fs/promises';
import { isObject, type Json, type JsonObject, jsonOf, memberOf } from '../../../broker/json.ts';
import { codeOf } from '../../../system/error-code.ts';
import { type ContainerEngine, EngineRefusal, textIn } from './engine.ts';
import { dockerHub, imageNameOf } from './image-names.ts';
import { noImage, type Pull } from './images.ts';

/** Milliseconds that an image may take. */
const limit = 30 * 60_000;

/**
 * Fetches images by the engine; who asks for one that is being fetched waits with the others.
 * @param logins a file as `docker login` writes it; read for each image, so that it may change
 * @param ended ends what is being fetched
 */
export function imagePull(engine: ContainerEngine, logins: string | undefined, ended: AbortSignal): Pull {
  const going = new Map<string, Promise<void>>();
  return async function pull(image, signal) {
    const one =
      going.get(image) ?? fetchImage(engine, logins, image, ended).finally(() => going.delete(image));
    going.set(image, one);
    // Who stops waiting does not end it for the others.
    await (signal ? Promise.race([one, aborted(signal)]) : one);
  };
}

async function fetchImage(
  engine: ContainerEngine,
  logins: string | undefined,
  image: string,
  signal: AbortSignal,
): Promise<void> {
  const { repository, version, registry } = imageNameOf(image);
  const login = logins === undefined ? undefined : await loginFor(logins, registry);
  const said = createLastLines();
  const answer = await engine.ask('POST', '/images/create', {
    query: { fromImage: repository, tag: version },
    headers: login === undefined ? {} : { 'X-Registry-Auth': login },
    limit,
    signal,
    onChunk: (chunk) => said.add(chunk),
  });
  const text = answer.status < 300 ? said.error() : new EngineRefusal(answer).message;
  if (text === undefined) return;
  const detail = `The image ${image} could not be fetched: ${text}`;
  // What a registry refuses it refuses again; one that is away comes back.
  if (/not found|unknown|denied|unauthorized|no basic auth|no such|invalid reference/i.test(text))
    throw noImage(detail);
  throw new Error(detail);
}

/** The engine tells of its progress in lines of JSON, and of a failure in the last of them. */
function createLastLines(): { add(chunk: Buffer): void; error(): string | undefined } {
  let end = '';
  return {
    add(chunk) {
      end = `${end}${chunk.toString()}`.slice(-16_384);
    },
    error() {
      const errors = end.split('\n').map((line) => textIn(objectOf(line)['error']));
      return errors.findLast((text) => text !== '')?.slice(0, 1000);
    },
  };
}

/** What the engine hands to the registry. @throws Error when the file cannot be used */
async function loginFor(file: string, registry: string): Promise<string | undefined> {
  const logins = memberOf(objectOf(await read(file)), 'auths');
  const names = registry === dockerHub ? ['https://index.docker.io/v1/', dockerHub] : [registry];
  const name = names.find((one) => Object.hasOwn(logins, one));
  if (name === undefined) return undefined;
  const { auth, identitytoken } = memberOf(logins, name);
  const [, username = '', password = ''] =
    /^([^:]*):([^]*)$/.exec(Buffer.from(textIn(auth), 'base64').toString()) ?? [];
  const login = jsonOf({ username, password, serveraddress: name, identitytoken });
  // Engines want the signs that fill it up, which Node's `base64url` leaves out.
  return Buffer.from(JSON.stringify(login)).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new Error(`NODE_REGISTRY_LOGINS cannot be read (${codeOf(error)}).`, { cause: error });
  }
}

function objectOf(text: string): JsonObject {
  try {
    const value = JSON.parse(text) as Json;
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  signal.throwIfAborted();
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
