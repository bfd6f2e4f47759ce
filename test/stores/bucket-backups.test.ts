import { randomBytes } from 'node:crypto';
import { Readable, type Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { bucketBackups } from '../../src/stores/backups/bucket.ts';
import { sealedBackups } from '../../src/stores/backups/sealed.ts';
import { describeWithS3, startS3Server, type S3Server } from '../support/s3/s3-server.ts';
import { until } from '../support/until.ts';

/** Backups in a bucket of a server that speaks S3, with things that happen on the way to it. */

describeWithS3('Backups in a bucket', () => {
  let server: S3Server;
  beforeAll(async () => {
    server = await startS3Server();
  });
  afterAll(() => server.close());
  afterEach(() => server.judge(() => 'pass'));

  const objectBytes = 100_000;

  function open({ url = server.url, login = server.login, requestMs = 10_000 } = {}) {
    const place = { url, region: 'us-east-1', prefix: 'some/where/', login: () => login };
    return sealedBackups(
      bucketBackups(place, { objectBytes, requestMs, tries: 5, pauses: { first: 1, longest: 10 } }),
    );
  }

  const from = (bytes: Buffer) => (to: Writable) => pipeline(Readable.from([bytes]), to);

  async function written(name: string, bytes: Buffer) {
    const { key, ...stored } = await open().write(name, from(bytes));
    return { key, stored };
  }

  /** Says something else of the requests that are meant, the first so many times. */
  function atFirst(
    times: number,
    passage: 'refuse' | 'cut' | 'hang',
    meant: (method: string) => boolean,
  ): () => number {
    let seen = 0;
    server.judge((method) => (meant(method) && (seen += 1) <= times ? passage : 'pass'));
    return () => seen;
  }

  const puts = (method: string) => method === 'PUT';

  test.each([0, 1, 99_968, 99_984, 100_000, 350_000])(
    'A backup of %d bytes lies there encrypted, in objects of one size, is read as it was, and removed wholly',
    async (size) => {
      const bytes = randomBytes(size);
      const { key, stored } = await written('b-1', bytes);
      const objects = await server.objects();
      expect(objects[0]).toBe('some/where/b-1/000001');
      const raw = await buffer(await open().raw('b-1'));
      expect([raw.length, raw.includes(bytes.subarray(0, 20)) && size > 20]).toEqual([stored.size, false]);
      expect((await buffer(await open().read('b-1', key))).equals(bytes)).toBe(true);
      await written('b-10', Buffer.from('of another one'));
      await open().remove('b-1');
      expect(await server.objects()).toEqual(['some/where/b-10/000001']);
      for (let times = 0; times < 2; times += 1) await open().remove('b-10');
      expect(await server.objects()).toEqual([]);
    },
  );

  test.each(['refuse', 'cut', 'hang'] as const)(
    'What is written while the store does "%s" at first is whole all the same, and is read so',
    async (passage) => {
      const bytes = randomBytes(350_000);
      const seen = atFirst(2, passage, puts);
      const { key } = await open({ requestMs: 1000 }).write('b', from(bytes));
      expect(seen()).toBeGreaterThan(3);
      atFirst(2, passage === 'cut' ? 'refuse' : passage, (method) => method === 'GET');
      expect((await buffer(await open({ requestMs: 1000 }).read('b', key))).equals(bytes)).toBe(true);
      server.judge(() => 'pass');
      await open().remove('b');
      expect(await server.objects()).toEqual([]);
    },
  );

  test('A store that is away is told as such, and what was written before it went is removed when it is back', async () => {
    let put = 0;
    server.judge((method) => ((put += puts(method) ? 1 : 0) <= 2 ? 'pass' : 'refuse'));
    const writing = open().write('b', from(randomBytes(350_000)));
    await expect(writing).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/503/),
    });
    expect(await server.objects()).toHaveLength(2);
    await expect(open().remove('b')).rejects.toThrow('does not do it: it answers 503');
    server.judge(() => 'pass');
    await open().remove('b');
    expect(await server.objects()).toEqual([]);
    const nobody = open({ url: 'http://127.0.0.1:1/kept' });
    await expect(nobody.raw('b')).rejects.toThrow('127.0.0.1:1 does not do it: it cannot be reached');
  });

  test('What breaks off leaves nothing there, also when an object is on its way', async () => {
    let put = 0;
    server.judge((method) => (method === 'PUT' && (put += 1) === 3 ? 'hang' : 'pass'));
    const writing = open().write('b', async (to) => {
      to.write(randomBytes(700_000));
      await until('the third is on its way', async () => put === 3);
      throw new Error('The service went away.');
    });
    await expect(writing).rejects.toThrow('The service went away.');
    expect(await server.objects()).toEqual([]);
  });

  test('A login that is refused, and a bucket that is not there, are told at once and without a secret', async () => {
    const secretAccessKey = 'c4n4ry-of-a-store';
    const seen = atFirst(0, 'refuse', () => true);
    const strange = open({ login: { ...server.login, secretAccessKey } });
    const told = await strange.write('b', from(Buffer.from('x'))).catch(String);
    expect(told).toContain('it answers 403 SignatureDoesNotMatch');
    expect(told).not.toContain(secretAccessKey);
    expect(seen()).toBeLessThan(4);
    const none = open({ url: server.url.replace('kept', 'none') });
    await expect(none.write('b', from(Buffer.from('x')))).rejects.toThrow('there is no such bucket');
    await expect(none.remove('b')).rejects.toThrow('there is no such bucket');
  });

  test('What a try before has left under the same name is no part of the next one', async () => {
    await written('b', randomBytes(350_000));
    const { key } = await written('b', Buffer.from('short'));
    expect(String(await buffer(await open().read('b', key)))).toBe('short');
    await open().remove('b');
  });

  test('What is gone is told as gone, and what is left of one is not taken for all of it', async () => {
    await expect(open().raw('b')).rejects.toMatchObject({ word: 'gone' });
    const { key, stored } = await written('b', randomBytes(350_000));
    await server.direct.deleteObject('some/where/b/000003');
    expect((await buffer(await open().raw('b'))).length).toBeLessThan(stored.size);
    await expect(open().read('b', key).then(buffer)).rejects.toMatchObject({ word: 'damaged' });
    await open().remove('b');
  });
});
