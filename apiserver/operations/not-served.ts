// Operations of the check-list that are not served, each with its reason.

/** By name: `METHOD path`. */
export const notServed: ReadonlyMap<string, string> = new Map(
  ['internal.apiserver.k8s.io', 'storagemigration.k8s.io'].map((group) => [
    `GET /apis/${group}/`,
    'all versions of the group are alpha or beta, which Kubernetes serves only when they are switched on',
  ]),
);
