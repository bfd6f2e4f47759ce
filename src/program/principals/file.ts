import { stat } from 'node:fs/promises';
import { defaultPlatform } from '../../broker/key.ts';
import { problemLines } from '../../catalog/problem.ts';
import type {
  CertificateCheck,
  FurtherLogins,
  HashedLogin,
  Limit,
  TokenCheck,
} from '../../protocols/protocol.ts';
import type { Log } from '../../telemetry/log.ts';
import { followFile, warnOfReaders } from '../followed-file.ts';
import type { RepeatedLooks } from '../looks.ts';
import {
  operatorCounted,
  platformCounted,
  type Principal,
  type Principals,
  readPrincipals,
  type TakenNames,
} from './read.ts';
import { checkCertificates } from './certificate-rule.ts';
import { checkTokens, createKeySets, type KeysOf } from './tokens.ts';

/** Those who may log in beside the logins of the environment, as PRINCIPALS_FILE names them now. */
export interface Accounts {
  readonly platforms: FurtherLogins;
  readonly operators: FurtherLogins;
  /** Platforms with names: all but the default one. */
  readonly named: FurtherLogins;
  /** Operators and the default platform. */
  readonly overseers: FurtherLogins;
  /** Is there a file? */
  readonly areNamed: boolean;
}

export interface PrincipalsFile extends Accounts, RepeatedLooks {}

interface FileParts {
  readonly file: string | undefined;
  readonly taken: TakenNames;
  readonly log: Pick<Log, 'note'>;
  /** Milliseconds between looks at the file. */
  readonly lookMs?: number;
}

/**
 * Reads the file, and again whenever it changes; one with mistakes is told, and the one before stays in use.
 * @param file undefined: there is none, and nobody is named
 * @throws Error with a sentence, when it cannot be used at the start
 */
export async function openPrincipals({ file, taken, log, lookMs }: FileParts): Promise<PrincipalsFile> {
  if (file === undefined) return { ...accountsOf(() => noPrincipals), areNamed: false, ...noLooks };
  const { present, ...looks } = await followFile({
    variable: 'PRINCIPALS_FILE',
    file,
    what: 'principals',
    read: (bytes) => presentOf(file, bytes, taken),
    afterRead: () => warnOfOthers(file, log),
    countsOf,
    log,
    lookMs,
  });
  return { ...accountsOf(present), areNamed: true, ...looks };
}

interface Group {
  readonly accounts: readonly HashedLogin[];
  readonly tokens: TokenCheck | undefined;
  readonly certificates: CertificateCheck | undefined;
}

interface Present extends Principals {
  readonly groups: Readonly<Record<keyof Omit<Accounts, 'areNamed'>, Group>>;
}

const noPrincipals = grouped({ platforms: [], operators: [], rates: new Map() });
const noLooks: RepeatedLooks = { reload: () => Promise.resolve(), close: () => undefined };

function grouped(principals: Principals): Present {
  const { platforms, operators } = principals;
  const isNamed = ({ platform }: Principal) => platform !== undefined;
  const keysOf = createKeySets();
  const others = platforms.filter((one) => !isNamed(one));
  const groups = {
    platforms: groupOf(platforms, keysOf),
    operators: groupOf(operators, keysOf),
    named: groupOf(platforms.filter(isNamed), keysOf),
    overseers: groupOf([...operators, ...others], keysOf),
  };
  return { ...principals, groups };
}

function groupOf(principals: readonly Principal[], keysOf: KeysOf): Group {
  const byToken = principals.flatMap(({ username, platform, readsOnly, token }) =>
    token ? [{ username, platform, readsOnly, rule: token }] : [],
  );
  const byCertificate = principals.flatMap(({ username, platform, readsOnly, certificate }) =>
    certificate ? [{ username, platform, readsOnly, rule: certificate }] : [],
  );
  return {
    certificates: byCertificate.length > 0 ? checkCertificates(byCertificate) : undefined,
    accounts: principals.filter(({ passwords }) => passwords.length > 0),
    tokens: byToken.length > 0 ? checkTokens(byToken, keysOf) : undefined,
  };
}

function accountsOf(present: () => Present): Omit<Accounts, 'areNamed'> {
  const ofPlatform: FurtherLogins['limitOf'] = ({ platform = defaultPlatform }) =>
    limitIn(present(), platformCounted(platform));
  const ofOperator: FurtherLogins['limitOf'] = ({ principal = '' }) =>
    // What a token adds to the name stands behind a colon.
    limitIn(present(), operatorCounted(principal.split(':', 1)[0] ?? ''));
  const further = (name: keyof Present['groups'], limitOf?: FurtherLogins['limitOf']): FurtherLogins => ({
    accounts: () => present().groups[name].accounts,
    tokens: () => present().groups[name].tokens,
    certificates: () => present().groups[name].certificates,
    limitOf,
  });
  return {
    platforms: further('platforms', ofPlatform),
    operators: further('operators', ofOperator),
    named: further('named', ofPlatform),
    overseers: further('overseers'),
  };
}

function limitIn({ rates }: Principals, counted: string): Limit | undefined {
  const rate = rates.get(counted);
  return rate && { rate, counted };
}

function countsOf({ platforms, operators }: Principals) {
  return { platforms: platforms.length, operators: operators.length };
}

function presentOf(file: string, bytes: Buffer, taken: TakenNames): Present {
  const { principals, problems } = readPrincipals(file, bytes, taken);
  if (!principals) throw new Error(['PRINCIPALS_FILE cannot be used.', ...problemLines(problems)].join(' '));
  return grouped(principals);
}

/** Who reads hashes can try passwords, and who writes them is whoever he likes. */
async function warnOfOthers(file: string, log: Pick<Log, 'note'>): Promise<void> {
  const { mode } = await stat(file);
  if ((mode & 0o022) === 0) return warnOfReaders('PRINCIPALS_FILE', file, log);
  log.note(
    'warn',
    'PRINCIPALS_FILE may be written by others than its owner: who does is let in. chmod go-w it.',
  );
}
