import type { Call, Login, Reply } from '../protocol.ts';
import { requireOffering } from './offering.ts';
import { offeringIn } from './names.ts';
import { requireText } from './texts.ts';
import type { TsuruContext } from './context.ts';

/**
 * What `crane create` and `tsuru service create` take, with a login that opens this offering alone. `?team=` names the
 * team that owns the service, which only tsuru knows.
 */
export function manifestReply(tsuru: TsuruContext, call: Call, login: Login | undefined): Reply {
  const offering = offeringIn(call);
  requireOffering(tsuru, offering);
  const team = call.query.get('team') ?? '';
  const lines = [
    `id: ${quoted(offering)}`,
    `username: ${quoted(login?.username ?? offering)}`,
    `password: ${quoted(login?.password ?? '')}`,
    team === '' ? '# team: the team that owns the service' : `team: ${quoted(requireText(team, 'team'))}`,
    'endpoint:',
    `  production: ${quoted(`${tsuru.url()}/tsuru/${encodeURIComponent(offering)}`)}`,
    '',
  ];
  return {
    status: 200,
    body: { bytes: Buffer.from(lines.join('\n')), type: 'application/yaml; charset=utf-8' },
  };
}

/** Every JSON text is one of YAML too. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
