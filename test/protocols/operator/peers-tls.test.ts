import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Node } from '../../../src/broker/nodes.ts';
import { trustAuthorities } from '../../../src/program/tls/trust.ts';
import { createPeers } from '../../../src/protocols/operator/peers.ts';
import { createAuthority, describeTls, type Authority, type MadePair } from '../../support/certificates.ts';

describeTls('A broker that asks another one by TLS', () => {
  const [authority, other] = [createAuthority(), createAuthority('Another one')];
  const servers: Server[] = [];
  afterEach(() => Promise.all(servers.splice(0).map((one) => new Promise((resolve) => one.close(resolve)))));

  async function addressOf({ cert, key }: MadePair): Promise<string> {
    const server = createServer({ cert, key }, (_request, response) => {
      response.setHeader('Connection', 'close').end(JSON.stringify({ units: [{ unit: 'web', text: 'x' }] }));
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  function logOf(url: string) {
    const peers = createPeers({ username: 'operator', password: 'p' });
    const origin = { protocol: 'operator' };
    return peers({ name: 'left', url } as Node).log({ instanceId: 'i1', lines: 5, origin });
  }

  test('A broker trusts the authorities in BROKER_CA, one after the other, and the usual ones.', async () => {
    const url = await addressOf(authority.issue());
    await expect(logOf(url)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(
        /cannot be asked: nobody who is trusted here .* in BROKER_CA\. Try again/,
      ),
    });
    trust(other);
    await expect(logOf(url)).rejects.toThrow(/BROKER_CA/);
    trust(authority);
    expect(await logOf(url)).toEqual([{ unit: 'web', text: 'x' }]);
  });

  test('A broker asks none with an old certificate or that of another name.', async () => {
    trust(authority);
    const expired = logOf(await addressOf(authority.issue(-1)));
    await expect(expired).rejects.toThrow(
      /cannot be asked: its certificate has expired; renew TLS_CERT there/,
    );
    const renamed = logOf(await addressOf(authority.issue(9, 'DNS:left.example')));
    await expect(renamed).rejects.toThrow(/its certificate is for another name; let NODE_URL there be/);
  });

  function trust({ certFile }: Authority): void {
    trustAuthorities({ brokerCa: certFile, tlsCert: undefined });
  }
});
