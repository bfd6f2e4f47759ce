import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CredentialStore } from '../../src/broker/credential-store.ts';
import { Failure } from '../../src/broker/errors.ts';
import { credhub, type CredhubSettings } from '../../src/stores/credhub/index.ts';
import { createAuthority, describeTls, type Authority } from '../support/certificates.ts';
import { openCredhub, type Credhub } from '../support/credhub.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

/** CredHub's own API, spoken to a server that answers as its documentation says. */
describeTls('CredHub', () => {
  const secretFile = join(scratchDirectory('credhub'), 'secret');
  const [name, reader] = ['/c/purveyor/redis/b1/p0123456789abcdef0123', 'mtls-app:a1'];
  const place = { name, reader };
  const credentials = { uri: 'redis://user:a-secret@host', password: 'a-secret' };
  let authority: Authority;
  let hub: Credhub;
  let signal: AbortSignal;

  beforeAll(() => {
    authority = createAuthority();
  });
  beforeEach(async () => {
    hub = await openCredhub(authority, 'purveyor:right');
    writeFileSync(secretFile, 'right\n');
    ({ signal } = new AbortController());
  });
  afterEach(() => hub.close());

  function store(settings: Partial<CredhubSettings> = {}): CredentialStore {
    const client = { name: 'purveyor', secretFile };
    return credhub({ url: hub.url, ca: authority.certFile, client, path: '/c/purveyor', ...settings });
  }

  test('What is put there has one reader, and the platform gets its name', async () => {
    expect(await store().put(place, credentials, signal)).toEqual({ 'credhub-ref': name });
    expect([...hub.values]).toEqual([[name, credentials]]);
    expect(hub.permissions()).toMatchObject([{ path: name, actor: reader, operations: ['read'] }]);
  });

  test('What is put there again is there once, as it was said last', async () => {
    const it = store();
    await it.put(place, { password: 'of before' }, signal);
    expect(await it.put(place, credentials, signal)).toEqual({ 'credhub-ref': name });
    expect([...hub.values]).toEqual([[name, credentials]]);
    expect(hub.permissions()).toHaveLength(1);
  });

  test('What is removed is gone with the permission of its reader, also when it is removed again', async () => {
    const it = store();
    hub.grant(name, 'uaa-client:purveyor', ['read', 'delete']);
    await it.put(place, credentials, signal);
    for (const _time of [1, 2]) await it.remove(place, signal);
    expect([...hub.values]).toEqual([]);
    expect(hub.permissions()).toMatchObject([{ actor: 'uaa-client:purveyor' }]);
  });

  test('A name has the offering, the binding and the key of the instance in it, with nothing that CredHub refuses', () => {
    const instance = { id: 'i1', key: 'p0123456789abcdef0123' } as never;
    const nameOf = (id: string, offering: string) =>
      store().nameOf({ instanceId: 'i1', id, key: 'pb' } as never, instance, offering);
    expect(nameOf('b1', 'redis')).toBe(name);
    expect(nameOf('b 1', 'My Redis')).toBe('/c/purveyor/My-Redis/pb/p0123456789abcdef0123');
    expect(nameOf('b'.repeat(300), 'r'.repeat(300)).length).toBeLessThan(255);
  });

  test('What lies there is told with the key of its instance, and removed with its readers', async () => {
    const it = store();
    await it.put(place, credentials, signal);
    hub.values.set('/c/purveyor/of-somebody-else', {});
    hub.values.set('/c/other/redis/b1/p0123456789abcdef0123', {});
    const found = await it.inventory?.();
    expect(found).toEqual([{ name: `credentials ${name}`, key: 'p0123456789abcdef0123' }]);
    for (const thing of found ?? []) await it.purge?.(thing);
    expect(hub.values.has(name)).toBe(false);
    expect(hub.permissions()).toEqual([]);
  });

  test('A token serves many requests, and one that is refused before its time is followed by another', async () => {
    const it = store();
    await it.put(place, credentials, signal);
    await it.put(place, credentials, signal);
    hub.forgetTokens();
    await it.remove(place, signal);
    expect(hub.asked.filter((one) => one === 'POST /oauth/token')).toHaveLength(2);
  });

  test('A client certificate says who asks, and is read anew at each request', async () => {
    const [right, other] = [authority.issue(), createAuthority('Another').issue()];
    const files = { cert: join(scratchDirectory('credhub'), 'cert'), key: right.keyFile };
    writeFileSync(files.cert, right.cert);
    const it = store({ client: undefined, ...files });
    await it.put(place, credentials, signal);
    expect(hub.asked).not.toContain('POST /oauth/token');
    await expect(
      store({ client: undefined, cert: other.certFile, key: other.keyFile }).remove(place, signal),
    ).rejects.toThrow(Failure);
    expect(hub.values.has(name)).toBe(true);
  });

  test('CredHub that cannot be asked, or not now, is asked again; what it refuses is a failure with its reason', async () => {
    const put = async (fate: Credhub['fate'], settings?: Partial<CredhubSettings>) => {
      hub.fate = fate;
      const error = await store(settings)
        .put(place, credentials, signal)
        .catch((one: unknown) => one);
      const { message, hints } = error as Failure;
      return { again: !(error instanceof Failure), why: hints?.detail ?? message };
    };
    const onData = (fate: number) => (asked: string) => (asked.endsWith('/data') ? fate : 'well');
    expect(await put(() => 'away')).toMatchObject({
      again: true,
      why: expect.stringContaining('ECONNRESET'),
    });
    expect(await put(onData(503))).toEqual({
      again: true,
      why: 'CredHub answered PUT /api/v1/data with status 503: It is not to be.',
    });
    expect(await put(onData(403))).toEqual({
      again: false,
      why: 'CredHub answered PUT /api/v1/data with status 403: It is not to be.',
    });
    expect(await put(() => 'well', { ca: undefined })).toMatchObject({
      again: true,
      why: expect.stringContaining('CERT_IN_CHAIN'),
    });
    writeFileSync(secretFile, 'wrong');
    expect(await put(() => 'well')).toEqual({
      again: false,
      why: 'UAA answered the login with status 401: unauthorized',
    });
    expect([...hub.values]).toEqual([]);
  });

  test('What may not be removed is not taken for what is gone', async () => {
    const it = store();
    await it.put(place, credentials, signal);
    hub.fate = (asked) => (asked === 'DELETE /api/v1/data' ? 404 : 'well');
    await expect(it.remove(place, signal)).rejects.toThrow(Failure);
  });
});
