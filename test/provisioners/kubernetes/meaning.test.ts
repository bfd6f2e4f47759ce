import { ClusterError } from '../../../src/provisioners/kubernetes/cluster-error.ts';
import { meaningOf, type Deed } from '../../../src/provisioners/kubernetes/rules/meaning.ts';

/** The answers as API servers of 1.20 to 1.36 write them. */
function told(error: unknown, deed: Deed): string {
  const meaning = meaningOf(error, deed);
  if (meaning.is === 'failure') return `failure ${meaning.failure.word}: ${meaning.failure.message}`;
  if (meaning.is === 'again') return `again after ${meaning.afterMs}: ${meaning.note}`;
  return meaning.is === 'gone' && meaning.unserved ? 'gone with its kind' : meaning.is;
}

function cause(reason: string, message = '', field = '') {
  return [{ reason, message, field }];
}

const managed = cause('FieldManagerConflict', 'conflict with "kubectl-edit" using v1', '.data.x');
const busy = { message: 'Too many requests, please try again later.', reason: 'TooManyRequests' };

const answers: readonly (readonly [what: string, deed: Deed, answer: object, means: string])[] = [
  [
    'a token that is not known',
    'make',
    { status: 401, reason: 'Unauthorized', message: 'Unauthorized' },
    'unknown',
  ],
  [
    'a right that is missing',
    'make',
    {
      status: 403,
      reason: 'Forbidden',
      message:
        'statefulsets.apps "db" is forbidden: User "system:serviceaccount:p:b" cannot patch resource "statefulsets" in API group "apps" in the namespace "p1"',
    },
    'failure forbidden: The broker may not do this in the cluster.',
  ],
  [
    'a 403 without a word',
    'exec',
    { status: 403, message: '' },
    'failure forbidden: The broker may not do this in the cluster.',
  ],
  [
    'a quota that is used up',
    'change',
    {
      status: 403,
      reason: 'Forbidden',
      message: 'pods "x" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2',
    },
    'failure no-room: The cluster has no room for this.',
  ],
  [
    'a namespace that is being removed',
    'make',
    {
      status: 403,
      reason: 'Forbidden',
      message:
        'configmaps "x" is forbidden: unable to create new content in namespace p1 because it is being terminated',
      causes: cause('NamespaceTerminating', 'namespace p1 is being terminated', 'metadata.namespace'),
    },
    'again after 1000: its namespace is being removed',
  ],
  [
    'Pod Security',
    'make',
    {
      status: 403,
      reason: 'Forbidden',
      message: 'pods "x" is forbidden: violates PodSecurity "restricted:latest": a',
    },
    'failure policy: The rules of the cluster do not allow this.',
  ],
  [
    'a LimitRange',
    'make',
    {
      status: 403,
      reason: 'Forbidden',
      message: 'pods "x" is forbidden: maximum memory usage per Container is 1Gi',
    },
    'failure policy: The rules of the cluster do not allow this.',
  ],
  [
    'a webhook that says no',
    'change',
    { status: 400, message: 'admission webhook "v.example.com" denied the request: no' },
    'failure policy: The rules of the cluster do not allow this.',
  ],
  [
    'a policy that says no',
    'change',
    {
      status: 422,
      message: `x is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no`,
    },
    'failure policy: The rules of the cluster do not allow this.',
  ],
  [
    'a webhook that does not answer',
    'make',
    {
      status: 500,
      reason: 'InternalError',
      message: 'Internal error occurred: failed calling webhook "v": timeout',
    },
    'unknown',
  ],
  [
    'a kind that is not served',
    'make',
    { status: 404, message: '404 page not found' },
    'failure no-kind: The cluster does not have what this is made of.',
  ],
  [
    'a kind that is not served any more',
    'remove',
    { status: 404, message: '404 page not found' },
    'gone with its kind',
  ],
  [
    'a kind that is not found',
    'remove',
    { status: 404, reason: 'NotFound', message: 'the server could not find the requested resource' },
    'gone with its kind',
  ],
  [
    'a namespace that is gone',
    'change',
    { status: 404, reason: 'NotFound', message: 'namespaces "p1" not found' },
    'failure no-namespace: Its namespace is gone from the cluster.',
  ],
  [
    'a namespace that is gone',
    'remove',
    { status: 404, reason: 'NotFound', message: 'namespaces "p1" not found' },
    'gone',
  ],
  [
    'a Secret that is not there',
    'read',
    { status: 404, reason: 'NotFound', message: 'secrets "db-app" not found' },
    'again after 1000: what is looked for is not there yet',
  ],
  [
    'a pod that is not there',
    'exec',
    { status: 404, reason: 'NotFound', message: 'pods "redis-0" not found' },
    'again after 1000: what is looked for is not there yet',
  ],
  [
    'an object of somebody else',
    'make',
    { status: 409, reason: 'Conflict', message: 'Apply failed with 1 conflict', causes: managed },
    'failure taken: Something of this name exists and belongs to kubectl-edit.',
  ],
  [
    'an object with another uid',
    'change',
    {
      status: 409,
      reason: 'Conflict',
      message: 'Operation cannot be fulfilled on x "a": uid mismatch: the provided',
    },
    'failure stranger: Something of this instance was replaced by somebody else.',
  ],
  [
    'an object with another uid',
    'remove',
    {
      status: 409,
      reason: 'Conflict',
      message: 'Precondition failed: UID in precondition: a, UID in object meta: b',
    },
    'gone',
  ],
  [
    'a uid that cannot be changed',
    'change',
    {
      status: 422,
      reason: 'Invalid',
      message: 'x is invalid: metadata.uid: Invalid value: "a": field is immutable',
      causes: cause('FieldValueInvalid', 'Invalid value: "a": field is immutable', 'metadata.uid'),
    },
    'failure stranger: Something of this instance was replaced by somebody else.',
  ],
  [
    'a race',
    'make',
    { status: 409, reason: 'AlreadyExists', message: 'configmaps "x" already exists' },
    'again after 250: it was changed by somebody else at the same time',
  ],
  [
    'an older version',
    'change',
    { status: 409, reason: 'Conflict', message: 'the object has been modified; please apply your changes' },
    'again after 250: it was changed by somebody else at the same time',
  ],
  [
    'a field that cannot be changed',
    'change',
    {
      status: 422,
      reason: 'Invalid',
      message: `StatefulSet.apps "x" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas' are forbidden`,
    },
    'failure immutable: What exists cannot be changed like this.',
  ],
  [
    'a value that is wrong',
    'make',
    {
      status: 422,
      reason: 'Invalid',
      message: 'x is invalid: spec.ports[0].port: Invalid value: 0: must be',
    },
    'failure not-taken: The cluster does not take what this is made of.',
  ],
  [
    'an object that is too large',
    'make',
    { status: 413, reason: 'RequestEntityTooLarge', message: 'Request entity too large: limit is 3145728' },
    'failure not-taken: The cluster does not take what this is made of.',
  ],
  [
    'JSON that is none',
    'make',
    { status: 400, reason: 'BadRequest', message: 'error decoding YAML' },
    'failure not-taken: The cluster does not take what this is made of.',
  ],
  [
    'a form that is wrong, told as an error of the server',
    'make',
    { status: 500, message: 'failed to create typed patch object: .spec.x: field not declared in schema' },
    'failure not-taken: The cluster does not take what this is made of.',
  ],
  [
    'base64 that is none, told as an error of the server',
    'change',
    {
      status: 500,
      message: 'failed to convert new object (x; /v1, Kind=Secret) to smd typed: illegal base64 data',
    },
    'failure not-taken: The cluster does not take what this is made of.',
  ],
  [
    'too many requests',
    'make',
    { status: 429, ...busy, retryAfterMs: 7000 },
    'again after 7000: the cluster is busy',
  ],
  ['too many requests', 'make', { status: 429, ...busy }, 'again after 1000: the cluster is busy'],
  [
    'a wait of an hour',
    'read',
    { status: 503, message: 'apiserver is shutting down', retryAfterMs: 3_600_000 },
    'again after 60000: the cluster is busy',
  ],
  ['an API that is away', 'read', { status: 503, message: 'the server is currently unable' }, 'unknown'],
  ['another leader of etcd', 'change', { status: 500, message: 'etcdserver: leader changed' }, 'unknown'],
  [
    'a list that has expired',
    'read',
    { status: 410, message: 'Expired' },
    'again after 250: the list was too old',
  ],
];

test.each(answers)('What is answered for %s in a deed of %s, %j, means: %s', (_what, deed, answer, means) => {
  expect(told(new ClusterError(answer as ConstructorParameters<typeof ClusterError>[0]), deed)).toBe(means);
});

test('The meaning of an error that is no answer is unknown, so that what was done is tried again.', () => {
  expect(told(new Error('The cluster main does not answer'), 'make')).toBe('unknown');
});

test('A field that cannot be changed leaves an instance usable.', () => {
  const meaning = meaningOf(
    new ClusterError({ status: 422, message: 'spec.x: field is immutable' }),
    'change',
  );
  expect(meaning).toMatchObject({ failure: { hints: { instanceUsable: true } } });
});

test('The detail of a failure has the answer of the cluster without the values in it.', () => {
  const messages = [
    'x is invalid: data[a]: Invalid value: "c2VjcmV0": must be short, spec.y: Invalid value: 12: must be less',
    '.stringData.a: expected string, got &value.valueUnstructured{Value:map[string]interface {}{"a":"c2VjcmV0"}}',
    'failed: Value:"c2VjcmV0"',
  ];
  const details = messages.map((message) => {
    const meaning = meaningOf(new ClusterError({ status: 422, message }), 'make');
    return meaning.is === 'failure' ? meaning.failure.hints.detail : undefined;
  });
  expect(details).toEqual([
    '422 x is invalid: data[a]: Invalid value: must be short, spec.y: Invalid value: must be less',
    '422 .stringData.a: expected string, got another',
    '422 failed: Value',
  ]);
});
