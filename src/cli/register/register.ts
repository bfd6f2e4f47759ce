import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readOnly, readPlatformAccess, readTrusted } from '../../config/access.ts';
import { brokerPasswordFile } from '../../program/opening/secrets.ts';
import { tsuruOptions } from '../../protocols/tsuru/options.ts';
import { addressOf, passwordOf } from '../address-of-here.ts';
import { printFor } from '../output/print.ts';
import { brokerOfHere } from '../platform/broker-of-here.ts';
import {
  cloudFoundry,
  cloudFoundryAccess,
  kubernetes,
  stackato,
  stackatoAccess,
  tsuruService,
  type ClientCommand,
  type Registration,
  type SoldName,
  type TsuruService,
} from './platforms.ts';
import { runClient } from './run.ts';
import { passwordIn } from './shell.ts';

/** How all of them are asked for. */
interface Way {
  readonly run: true | undefined;
  readonly json: true | undefined;
}

interface Told {
  readonly name: string;
  readonly update: true | undefined;
  readonly namespace?: string;
}

interface Opening {
  /** Every plan, to all users. */
  readonly open: true | undefined;
}

/** Each of these gives the exit code. */
export async function registerAtCloudFoundry({ open, ...told }: Told & Opening & Way): Promise<number> {
  const one = registrationOf(told);
  const offerings = open ? await sold() : [];
  return carryOut([cloudFoundry(one), ...offerings.map((each) => cloudFoundryAccess(one, each))], told);
}

export async function registerAtStackato({ open, ...told }: Told & Opening & Way): Promise<number> {
  const offerings = open ? await sold() : [];
  return carryOut([stackato(registrationOf(told)), ...offerings.flatMap(stackatoAccess)], told);
}

export async function registerAtKubernetes(told: Told & Way): Promise<number> {
  return carryOut([kubernetes(registrationOf(told))], told);
}

interface ToldOfTsuru extends Way {
  readonly offering: string | undefined;
  readonly team: string | undefined;
  readonly update: true | undefined;
}

export async function registerAtTsuru({ offering, team, update, run, json }: ToldOfTsuru): Promise<number> {
  const services = await tsuruServices(team, update ?? false);
  const wanted = services.filter((one) => offering === undefined || one.offering === offering);
  if (wanted.length === 0) throw new Error(`There is no offering '${offering}'.`);
  const commands = wanted.map((one) => tsuruService(one, ''));
  return run && !json ? runTsuru(wanted) : carryOut(commands, { run, json });
}

function registrationOf({ name, update, namespace = 'default' }: Told): Registration {
  const access = readPlatformAccess();
  const place = { variable: 'BROKER_PASSWORD', file: join(access.dataDir, brokerPasswordFile) };
  const value = passwordOf(access.password, { whose: 'broker', ...place });
  const { brokerCa = access.tlsCert } = readTrusted();
  return {
    name,
    url: addressOf(access),
    username: access.username,
    password: passwordIn(value, access.password, place),
    authority: brokerCa === undefined ? undefined : readFileSync(brokerCa, 'utf8'),
    update: update ?? false,
    namespace,
  };
}

async function sold(): Promise<readonly SoldName[]> {
  const { body } = await (await brokerOfHere()).read('/v2/catalog');
  return (body['services'] ?? []) as unknown as readonly SoldName[];
}

async function tsuruServices(team: string | undefined, update: boolean): Promise<readonly TsuruService[]> {
  const access = readPlatformAccess();
  const { tsuruUsername, tsuruPassword, tsuruPasswords = {} } = readOnly(tsuruOptions);
  const place = { variable: 'TSURU_PASSWORD', file: join(access.dataDir, 'tsuru-password') };
  const query = team === undefined ? '' : `?team=${encodeURIComponent(team)}`;
  return (await sold()).map(({ name }) => {
    const own = Object.hasOwn(tsuruPasswords, name) ? tsuruPasswords[name] : undefined;
    const value = own ?? passwordOf(tsuruPassword, { whose: 'tsuru', ...place });
    return {
      offering: name,
      url: `${addressOf(access)}/tsuru/${encodeURIComponent(name)}/manifest.yaml${query}`,
      username: tsuruUsername ?? name,
      password: own === undefined ? passwordIn(value, tsuruPassword, place) : ofSeveral(own),
      update,
    };
  });
}

/** One of TSURU_PASSWORDS, which no shell takes apart. */
function ofSeveral(value: string): TsuruService['password'] {
  return { value, inShell: '"$PASSWORD_OF_THIS_OFFERING"' };
}

/** Manifests hold passwords: they lie in a directory of ours alone, for as long as it takes. */
async function runTsuru(services: readonly TsuruService[]): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'purveyor-'));
  const file = join(directory, 'manifest.yaml');
  try {
    for (const service of services) {
      writeFileSync(file, await manifestOf(service), { mode: 0o600 });
      const code = await runClient(tsuruService(service, file));
      if (code !== 0) return code;
    }
    return 0;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function manifestOf({ offering, url, username, password }: TsuruService): Promise<string> {
  const authorization = `Basic ${Buffer.from(`${username}:${password.value}`).toString('base64')}`;
  const answer = await fetch(url, { headers: { authorization } });
  if (answer.ok) return answer.text();
  throw new Error(`The broker gave no manifest of ${offering}: it answered with status ${answer.status}.`);
}

/** Prints them, or runs one after the other up to the first that fails; gives the exit code. */
async function carryOut(commands: readonly ClientCommand[], { run, json }: Way): Promise<number> {
  if (run && json) throw new Error('--json is for commands that are printed: leave it out with --run.');
  if (!run) {
    const lines = commands.map(({ shown }) => shown);
    printFor(json, { commands: lines }, lines.join('\n'));
    return 0;
  }
  for (const command of commands) {
    const code = await runClient(command);
    if (code !== 0) return code;
  }
  return 0;
}
