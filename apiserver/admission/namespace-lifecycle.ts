// Nothing is created in a namespace that does not exist or is being terminated, and the namespaces that the cluster
// lives in stay (admission plug-in NamespaceLifecycle).

import { namespaces } from '../../api/core.ts';
import { forbiddenError, notFoundError, StatusError } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import { type AdmissionPlugin, refusal } from './admission.ts';

const immortal = new Set(['default', 'kube-system', 'kube-public']);

/** `findNamespace` answers with what is newest: a namespace made a moment ago counts. */
export function namespaceLifecycle(
  findNamespace: (name: string) => Promise<KubeObject | undefined> | KubeObject | undefined,
): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    operations: ['CREATE', 'UPDATE', 'DELETE'],
    handles: ({ kind }) =>
      (kind.namespaced && kind.group !== 'authorization.k8s.io') || (kind.plural === 'namespaces' && kind.group === ''),
    async admit(attributes) {
      const { kind, operation, namespace, name } = attributes;
      if (!kind.namespaced) {
        if (operation === 'DELETE' && immortal.has(name)) throw forbiddenError(namespaces, name, 'this namespace may not be deleted');
        return;
      }
      if (operation !== 'CREATE' || namespace === '') return;
      const found = findNamespace(namespace);
      const object = found instanceof Promise ? await found : found;
      if (!object) throw notFoundError(namespaces, namespace);
      if (object.metadata?.deletionTimestamp === undefined) return;
      const refused = refusal(attributes, `unable to create new content in namespace ${namespace} because it is being terminated`);
      throw new StatusError('Forbidden', refused.message, {
        details: {
          ...refused.details,
          causes: [{ reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated`, field: 'metadata.namespace' }],
        },
      });
    },
  };
}
