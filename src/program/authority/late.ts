// What makes certificates is loaded when the first one is made, or an operator asks.
import type { Authorities, AuthorityOffice, Certificates } from '../../broker/nodes.ts';
import type { OfficeContext } from './office.ts';

export function lateCertificates(authorities: Authorities): Certificates {
  let made: Promise<Certificates> | undefined;
  const load = () => (made ??= import('./certificates.ts').then((it) => it.createCertificates(authorities)));
  return {
    issue: async (names) => (await load()).issue(names),
    inForce: async (atMost) => (await load()).inForce(atMost),
  };
}

export function lateAuthorityOffice(authorities: Authorities, context: OfficeContext): AuthorityOffice {
  const load = async () => (await import('./office.ts')).createAuthorityOffice(authorities, context);
  return {
    list: async () => (await load()).list(),
    renew: async (command) => (await load()).renew(command),
  };
}
