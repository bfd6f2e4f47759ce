import { postgresDatabases } from '../../../src/provisioners/postgres/index.ts';
import { describeProvisioner } from '../contract.ts';
import { administratorUrl, passwordOf } from './databases.ts';

describeProvisioner('the one of databases', () => {
  const provisioner = postgresDatabases({ servers: () => ({ url: administratorUrl() }) });
  const values = { secrets: { password: passwordOf('any') } };
  const bind: typeof provisioner.bind = async (work) => {
    const step = await provisioner.bind?.({ ...work, values });
    if (!step) throw new Error('It cannot bind.');
    return step;
  };
  return {
    provisioner: { ...provisioner, bind },
    making: {
      config: { server: 'SHARED_POSTGRES_URL', connection_limit: 5, quota_mb: 50, extensions: ['citext'] },
    },
    close: () => provisioner.close(),
  };
});
