import { kubernetes } from '../../../src/provisioners/kubernetes/index.ts';
import { describeProvisioner } from '../contract.ts';
import { aMemoryCluster, clustersOf } from './memory-cluster.ts';
import { redisConfig } from './offerings.ts';

describeProvisioner('the one of clusters', () => ({
  provisioner: kubernetes({ clusters: clustersOf(aMemoryCluster()), installation: async () => 'here' }),
  making: { config: redisConfig },
}));
