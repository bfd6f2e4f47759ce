import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Holding } from './market.ts';

/**
 * Writes the file of an offering that runs for its tenants whatever they say: what each program comes to in which
 * somebody has found a hole.
 */
export function writeShellOffering(folder: string): void {
  writeFileSync(join(folder, 'shell.yaml'), file);
}

/** Runs this in the instance and gives all that it writes. */
export function runInside({ credentials, port }: Holding, command: string): Promise<string> {
  const socket = connect({ host: credentials['host'] ?? '', port });
  socket.setTimeout(20_000, () => socket.destroy(new Error('The shell did not end.')));
  socket.write(`${command}\n`);
  return text(socket);
}

const file = `
id: 6c2f7a1e-3b0d-4a55-9a61-8d1b5f0e7c10
name: shell
description: Runs what it is told
provisioner: process
plans:
  - { id: 6c2f7a1e-3b0d-4a55-9a61-8d1b5f0e7c11, name: small, description: One shell }
secrets:
  inner: { length: 32 }
config:
  needs: [perl]
  ports: [main]
  files:
    secret: '{{secrets.inner}}'
    shell.pl: |
      use IO::Socket::INET;
      my $server = IO::Socket::INET->new(LocalAddr => '{{node.bind}}', LocalPort => {{ports.main}}, Listen => 9, ReuseAddr => 1)
        or die "It cannot listen: $!";
      $SIG{CHLD} = 'IGNORE';
      while (1) {
        my $client = $server->accept() or next;
        if (fork() == 0) {
          my $line = <$client> or exit;
          open STDOUT, '>&', $client;
          open STDERR, '>&', $client;
          exec '/bin/sh', '-c', $line;
        }
        close $client;
      }
  processes:
    shell:
      run: [perl, '{{dir.conf}}/shell.pl']
      env: { INNER: '{{secrets.inner}}' }
credentials:
  host: '{{node.host}}'
  port: '{{ports.main}}'
`;
