/**
 * A database for each instance on a shared PostgreSQL server, 13 or later, and a role for each binding. README.md
 * tells what there is on the server, and what an offering file may say.
 */
import { giveAll } from './adopt/owners.ts';
import { takeOver } from './adopt/take-over.ts';
import type { ServicePlan } from '../../broker/catalog.ts';
import { Failure } from '../../broker/errors.ts';
import { type JsonObject, jsonOf } from '../../broker/json.ts';
import { bindingKey } from '../../broker/key.ts';
import type { StepDone, Provisioner, Work } from '../../broker/provisioner.ts';
import { databaseBackups } from './backups/index.ts';
import {
  furnish,
  limitConnections,
  limitIdleTransactions,
  makeDatabase,
  removeDatabase,
  requireDatabase,
} from './database.ts';
import { type Hold, holding } from './hold.ts';
import { inventoryOf } from './inventory.ts';
import { closeOtherDatabases } from './isolation.ts';
import { createKnownServers, type FindServer } from './known-servers.ts';
import { databaseUnits } from './looks.ts';
import { namesOf } from './names.ts';
import { keepQuota, requireRoom, requireWithinQuota } from './quota.ts';
import { makeBindingRole, removeRole } from './roles.ts';
import { addressOf, createServers, type Server } from './servers.ts';
import { codeOf } from '../../system/error-code.ts';
import { readShape, requirePassword, serverNameOf } from './shape.ts';
import { authorityOf, requireRefusal } from './tls/encryption.ts';
import { traits } from './traits.ts';

export interface DatabaseSettings {
  readonly servers: FindServer;
  /** Gives the name of the broker's own database: it is not listed, even when a broker has made it. */
  readonly ownDatabase?: () => string | undefined;
  /** Where pg_dump and pg_restore are looked for first. */
  readonly path?: string | undefined;
}

export interface PostgresDatabases extends Provisioner {
  /** Lets go of all servers. */
  close(): Promise<void>;
}

/** Provisioner for databases on shared servers. */
export function postgresDatabases({
  servers,
  ownDatabase = () => undefined,
  path = '',
}: DatabaseSettings): PostgresDatabases {
  const known = createKnownServers(servers);
  const connections = createServers();

  /** Does it on the server of the work's plan, while nobody else is at work on the instance. */
  async function on(work: Work, use: Use): Promise<Server> {
    const server = known.require(work.plan);
    const access = connections.forWork(server, work.signal);
    await holding(access, namesOf(work.instance), (hold) => use(hold, work)).catch(rethrow);
    return server;
  }

  /** The same for what applications will come for: where the plan has TLS, none of them may come without. */
  async function onSafe(work: Work, use: Use): Promise<Server> {
    if (isSecure(work.plan)) {
      const { host, port } = addressOf(known.require(work.plan));
      const { key } = namesOf(work.instance);
      await requireRefusal({ host, port, database: key, user: work.binding ? roleOf(work) : key });
    }
    return on(work, use);
  }
  async function adopt(hold: Hold, work: Work): Promise<void> {
    await takeOver(hold, work.adopts ?? '', ownDatabase());
    await create(hold, work);
    await giveAll(hold);
  }
  return {
    name: 'postgres',
    traits,
    obstacle(plan) {
      const name = serverNameOf(plan.making.config);
      const server = known.find(name);
      if (!server) return `${name} is not set`;
      if (!isSecure(plan) || authorityOf(server.ssl)) return undefined;
      return `the plan has TLS, and ${name} names no sslrootcert by which clients could verify the server`;
    },
    provision: async (work) => made(work, await onSafe(work, create), 'create'),
    adopt: async (work) => made(work, await onSafe(work, adopt), 'adopt'),
    update: async (work) => made(work, await onSafe(work, change), 'configure'),
    bind: async (work) => made(work, await onSafe(work, bind), 'bind', { user: roleOf(work) }),
    async unbind(work) {
      await on(work, (hold) => removeRole(hold, roleOf(work)));
      return { done: undefined, did: { step: 'unbind' } };
    },
    async deprovision(work) {
      await on(work, removeDatabase);
      return { done: undefined, did: { step: 'remove' } };
    },
    backups: databaseBackups({ known, on, path }),
    units: databaseUnits(connections, known.find),
    ...inventoryOf(connections, known, ownDatabase),
    close: () => connections.close(),
  };
}

type Use = (hold: Hold, work: Work) => Promise<void>;

async function create(hold: Hold, work: Work): Promise<void> {
  const { connectionLimit, quota, extensions, idleTransaction } = readShape(work);
  await makeDatabase(hold, connectionLimit);
  await limitIdleTransactions(hold, idleTransaction);
  await closeOtherDatabases(hold.session);
  await furnish(hold, extensions, { schema: true });
  await keepQuota(hold.session, hold.key, quota);
}

async function change(hold: Hold, work: Work): Promise<void> {
  const { connectionLimit, quota, extensions, idleTransaction } = readShape(work);
  await requireDatabase(hold);
  await requireRoom(hold, quota);
  await limitConnections(hold, connectionLimit);
  await limitIdleTransactions(hold, idleTransaction);
  await furnish(hold, extensions, { schema: false });
  await keepQuota(hold.session, hold.key, quota);
}

async function bind(hold: Hold, work: Work): Promise<void> {
  const password = requirePassword(work.values);
  const { connectionLimit, quota } = readShape(work);
  await requireDatabase(hold);
  await requireWithinQuota(hold, quota);
  await closeOtherDatabases(hold.session);
  await makeBindingRole(hold, roleOf(work), { password, connectionLimit });
}

function isSecure({ operating }: ServicePlan): boolean {
  return operating.tls === true;
}

function roleOf({ binding }: Work): string {
  if (!binding) throw new Error('There is no binding in this work.');
  return bindingKey(binding);
}

interface Done {
  readonly done: { readonly facts: JsonObject };
  readonly did: StepDone;
}

/** @param db more of the root `db` than the name */
function made(work: Work, server: Server, step: string, db: JsonObject = {}): Done {
  const authority = isSecure(work.plan) ? authorityOf(server.ssl) : undefined;
  const facts = jsonOf({
    server: { ...addressOf(server), ...(authority && { sslmode: authority.sslmode }) },
    db: { name: namesOf(work.instance).key, ...db },
    tls: authority && { ca_pem: authority.ca },
  });
  return { done: { facts }, did: { step } };
}

/** What the administrator may not do, no try will do. */
function rethrow(error: unknown): never {
  if (codeOf(error) !== '42501') throw error;
  throw new Failure('forbidden', 'The operator must give the broker more rights on the database server.', {
    detail: (error as Error).message,
  });
}
