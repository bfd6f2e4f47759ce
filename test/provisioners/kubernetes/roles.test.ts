import type { JsonObject } from '../../../src/broker/json.ts';
import { loadCatalog } from '../../../src/catalog/load.ts';
import { traits } from '../../../src/provisioners/kubernetes/form/traits.ts';
import { kindsNamedBy, rolesOf } from '../../../src/provisioners/kubernetes/roles.ts';
import { pluralOf } from '../../../src/provisioners/kubernetes/rules/needs.ts';
import { aPlan, anOffering, withFolder } from '../../catalog/folder.ts';
import { runProgram } from '../../support/run-program.ts';

/** What a broker must be allowed to do in a cluster, by the catalog alone. */

const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one' } };

async function plansOf(config: JsonObject) {
  const offering = anOffering({
    provisioner: 'kubernetes',
    config: { objects: { map }, ...config },
    credentials: {},
    plans: [aPlan({ with: { namespace: 'shared' } })],
  });
  return withFolder({ 'one.yaml': offering }, async (directory) => {
    const { catalog, problems } = await loadCatalog([directory], { kubernetes: traits });
    expect(problems).toEqual([]);
    return catalog?.offerings.flatMap(({ plans }) => plans) ?? [];
  });
}

const settings = {
  account: { namespace: 'brokers', name: 'purveyor' },
  pluralOf: (kind: Parameters<typeof pluralOf>[0]) => pluralOf(kind).plural,
  hasExec: false,
};

test('A broker whose instances have namespaces of their own has one role for all of the cluster.', async () => {
  const roles = rolesOf(await plansOf({ namespace: 'own' }), settings);
  expect(roles).toEqual([
    expect.objectContaining({ kind: 'ClusterRole', metadata: { name: 'purveyor' } }),
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'purveyor' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'purveyor' },
      subjects: [{ kind: 'ServiceAccount', namespace: 'brokers', name: 'purveyor' }],
    },
  ]);
  expect(JSON.stringify(roles)).not.toContain('resourceNames');
});

test('A broker whose instances share a namespace has a role in this one, and else sees only which cluster it is.', async () => {
  const roles = rolesOf(await plansOf({ namespace: '{{plan.namespace}}' }), settings);
  const metadata = { name: 'purveyor', namespace: 'shared' };
  expect(roles).toMatchObject([
    {
      kind: 'ClusterRole',
      rules: [{ resources: ['namespaces'], resourceNames: ['kube-system'], verbs: ['get'] }],
    },
    { kind: 'ClusterRoleBinding' },
    { kind: 'Role', metadata },
    { kind: 'RoleBinding', metadata, roleRef: { kind: 'Role' } },
  ]);
  expect(JSON.stringify(roles[2])).toContain('"configmaps"');
});

test('What nobody sells in a cluster needs no role, and names no kind.', async () => {
  expect(rolesOf([], settings)).toEqual([]);
  expect(kindsNamedBy([])).toEqual([]);
  const { code, errors } = await runProgram(['catalog', 'rbac'], { CATALOG_DIR: 'catalog/trial' }).ended;
  expect([code, errors]).toEqual([1, expect.stringContaining('The catalog sells nothing in a cluster.')]);
});

test('The account of a role is told by its namespace and its name.', async () => {
  const { code, errors } = await runProgram(['catalog', 'rbac', '--service-account', 'x']).ended;
  expect([code, errors]).toEqual([expect.any(Number), expect.stringContaining('<namespace>:<name>')]);
  expect(code).not.toBe(0);
});
