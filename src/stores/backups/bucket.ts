// Keeps backups in a bucket of a store that speaks S3: each as numbered objects, so that no request is large.
import { setTimeout as sleep } from 'node:timers/promises';
import { Readable, Writable } from 'node:stream';
import { S3mini, S3ServiceError } from 's3mini';
import type { BackupStorage } from '../../broker/backups.ts';
import { Refusal } from '../../broker/errors.ts';
import { backoff } from '../../broker/timing.ts';
import { goneBackup } from './directory.ts';
import { meter, runThrough } from './flow.ts';

export interface BucketLogin {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface BucketPlace {
  /** Of the bucket: `https://host/bucket`, or `https://bucket.host`. */
  readonly url: string;
  readonly region: string;
  /** What all names there begin with. */
  readonly prefix: string;
  /** As it is now. */
  readonly login: () => BucketLogin;
}

export interface BucketLimits {
  /** Of an object; the last one of a backup has what is left. */
  readonly objectBytes: number;
  /** Milliseconds that one request may take. */
  readonly requestMs: number;
  /** Of a request in a row, before somebody else is to decide. */
  readonly tries: number;
  /** Milliseconds between them. */
  readonly pauses: Parameters<typeof backoff>[1];
}

const usual: BucketLimits = {
  objectBytes: 8_388_608,
  requestMs: 120_000,
  tries: 5,
  pauses: { first: 500, longest: 4_000 },
};

/** @param limits other than the usual ones, for tests */
export function bucketBackups(place: BucketPlace, limits = usual): BackupStorage {
  const objectOf = (name: string, number: number) =>
    `${place.prefix}${name}/${String(number).padStart(6, '0')}`;

  async function* objects(name: string, first: Buffer, ask: Ask): AsyncGenerator<Buffer> {
    let bytes: Buffer | undefined = first;
    for (let number = 2; bytes; number += 1) {
      yield bytes;
      bytes = await readObject(ask, objectOf(name, number));
    }
  }

  const raw: BackupStorage['raw'] = async (name) => {
    const { ask } = openBucket(place, limits);
    const first = await readObject(ask, objectOf(name, 1));
    if (!first) throw goneBackup();
    return Readable.from(objects(name, first, ask));
  };

  async function remove(name: string, within = limits): Promise<void> {
    const { ask } = openBucket(place, within);
    const found = await ask((s3) => s3.listObjects('/', `${place.prefix}${name}/`));
    if (!found) throw trouble(place, 'there is no such bucket');
    for (const { Key: object } of found) await ask((s3) => s3.deleteObject(object));
  }

  return {
    async write(name, fill) {
      const { ask, abort } = openBucket(place, limits);
      const target = inObjects(limits.objectBytes, (bytes, number) =>
        ask((s3) => s3.putObject(objectOf(name, number), bytes)).then(() => undefined),
      );
      const bytes = meter();
      // Of a try before this one there may be more than will be written now.
      await remove(name);
      try {
        await runThrough(bytes.stream, target.stream, fill);
        return bytes.stored();
      } catch (error) {
        // What is on its way would else arrive after the others are gone.
        abort();
        await target.settled();
        // Nobody waits long for it: whoever tries again, or gives it up, removes it as well.
        await remove(name, { ...limits, tries: 1, requestMs: 5_000 }).catch(() => undefined);
        throw error;
      }
    },
    raw,
    read: (name) => raw(name),
    remove: (name) => remove(name),
  };
}

type Ask = <Answer>(request: (s3: S3mini) => Promise<Answer>) => Promise<Answer>;

/** @returns `ask` tries again what may do better the next time, until `abort` */
function openBucket(
  place: BucketPlace,
  limits: BucketLimits,
): { readonly ask: Ask; readonly abort: () => void } {
  const stop = new AbortController();
  const s3 = new S3mini({
    ...place.login(),
    endpoint: place.url,
    region: place.region,
    requestAbortTimeout: limits.requestMs,
    fetch: (input, init) =>
      fetch(input, {
        ...init,
        signal: AbortSignal.any([stop.signal, ...(init?.signal ? [init.signal] : [])]),
      }),
  });
  return {
    abort: () => stop.abort(),
    async ask(request) {
      for (let number = 1; ; number += 1) {
        try {
          return await request(s3);
        } catch (error) {
          if (stop.signal.aborted || number === limits.tries || !isPassing(error))
            throw trouble(place, reasonOf(error));
          await sleep(backoff(number, limits.pauses), undefined, { signal: stop.signal }).catch(
            () => undefined,
          );
        }
      }
    },
  };
}

/** Undefined: there is none. Read as a whole, so that what was cut is asked for again. */
function readObject(ask: Ask, object: string): Promise<Buffer | undefined> {
  return ask(async (s3) => {
    const response = await s3.getObjectResponse(object);
    return response ? Buffer.from(await response.arrayBuffer()) : undefined;
  });
}

interface InObjects {
  readonly stream: Writable;
  /** Ends when none is on its way any more. */
  readonly settled: () => Promise<void>;
}

/** Puts what is written, so many bytes at a time, one object after the other; at least one. */
function inObjects(objectBytes: number, put: (bytes: Buffer, number: number) => Promise<void>): InObjects {
  let kept: Buffer[] = [];
  let size = 0;
  let number = 0;
  let last = Promise.resolve();
  const pass = (done: (error?: Error) => void) => {
    const bytes = Buffer.concat(kept);
    [kept, size, number] = [[], 0, number + 1];
    last = put(bytes, number);
    last.then(() => done(), done);
  };
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      kept.push(chunk);
      size += chunk.length;
      if (size < objectBytes) done();
      else pass(done);
    },
    final: (done) => (size > 0 || number === 0 ? pass(done) : done()),
  });
  return { stream, settled: () => last.catch(() => undefined) };
}

/** The store, or the way to it, may do better the next time. */
function isPassing(error: unknown): boolean {
  return !(error instanceof S3ServiceError) || error.status >= 500 || [408, 429].includes(error.status);
}

/** What a store writes into its answers may name the login, and is left out. */
function reasonOf(error: unknown): string {
  if (error instanceof S3ServiceError)
    return `it answers ${error.status} ${error.serviceCode ?? ''}`.trimEnd();
  const {
    name,
    cause,
    code = (cause as { code?: unknown } | undefined)?.code,
  } = error as Error & {
    code?: unknown;
  };
  if (name === 'TimeoutError') return 'it does not answer in time';
  return typeof code === 'string' ? `it cannot be reached (${code})` : 'it cannot be reached';
}

function trouble({ url }: BucketPlace, reason: string): Refusal {
  return new Refusal(
    'unavailable',
    `The store of backups at ${new URL(url).host} does not do it: ${reason}.`,
  );
}
