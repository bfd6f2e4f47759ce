import { say } from '../provisioners/postgres/databases.ts';
import { describeWithServer, startOwnServer, type OwnServer } from '../provisioners/postgres/own-server.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { operatorPassword } from '../support/whole-broker.ts';
import { openShop, type Bound, type Bought, type Shop } from './shop.ts';

/** Databases of the shipped offering are saved and put back, as operators ask for it. */

const login = `operator:${operatorPassword}`;

describeWithServer('Backups of shipped databases', () => {
  let server: OwnServer;
  let shop: Shop;
  beforeAll(async () => {
    server = await startOwnServer();
    const env = { SHARED_POSTGRES_URL: server.url, BACKUP_DIR: scratchDirectory('database-backups') };
    shop = await openShop({ ASYNC_PATIENCE: '60s', ...env });
  });
  afterAll(async () => {
    await shop.close();
    await server.stop();
  });

  async function operate(path: string, body: object): Promise<{ status: number; body: unknown }> {
    const { status, body: answered } = await shop.broker.ask('post', path, { login, body });
    return { status, body: answered as unknown };
  }

  const backUp = ({ id }: Bought) => operate(`/operator/instances/${id}/backups`, {});

  function tell({ credentials, port }: Bound, ...statements: readonly string[]): Promise<readonly unknown[]> {
    const { host, name: database, username: user, password } = credentials;
    return say({ host, port, database, user, password }, ...statements);
  }

  test('A database is restored for every login that there is, and into another one that has its own.', async () => {
    const [database, other] = [
      await shop.buy('postgres', 'small', { extensions: ['citext'] }),
      await shop.buy('postgres', 'medium'),
    ];
    const bound = await database.bind();
    await tell(bound, 'create table goods (name citext primary key)', "insert into goods values ('Tea')");
    const { status, body } = await backUp(database);
    expect(status).toBe(200);
    const { backup } = body as { backup: { id: string } };
    const later = await database.bind();
    await tell(later, "update goods set name = 'lost'", 'create table more (id integer)');
    expect(await operate(`/operator/backups/${backup.id}/restore`, {})).toEqual({ status: 200, body: {} });
    for (const one of [bound, later]) {
      expect(await tell(one, "select name from goods where name = 'TEA'")).toEqual([{ name: 'Tea' }]);
      await expect(tell(one, 'select * from more')).rejects.toThrow('does not exist');
    }
    const into = await operate(`/operator/backups/${backup.id}/restore`, { into: other.id });
    expect(into).toEqual({ status: 200, body: {} });
    const own = await other.bind();
    expect(await tell(own, 'insert into goods values ($$Coffee$$) returning name')).toEqual([
      { name: 'Coffee' },
    ]);
    expect(await tell(bound, 'select name from goods')).toEqual([{ name: 'Tea' }]);
    await database.deprovision();
    expect((await operate(`/operator/backups/${backup.id}/restore`, { into: other.id })).status).toBe(200);
    expect(await tell(own, 'select name from goods')).toEqual([{ name: 'Tea' }]);
    await other.deprovision();
  });
});
