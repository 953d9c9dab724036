// Puts the cluster's certificate authority into every namespace, as ConfigMap `kube-root-ca.crt`, where pods'
// service account volumes take it from.

import { isDeepStrictEqual } from 'node:util';
import { configMaps, namespaces } from '../../api/core.ts';
import { isStatus } from '../../api/status.ts';
import { type Controller, controller, settled, watching } from '../../client/controller.ts';

export const rootCaName = 'kube-root-ca.crt';
const description =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

/** @param rootCa PEM */
export function rootCaPublisher(rootCa: string): Controller {
  const data = { 'ca.crt': rootCa };
  return controller({
    name: 'root-ca-certificate-publisher',
    queueName: 'root_ca_cert_publisher',
    of: namespaces,
    watches: [watching(configMaps, ({ metadata }) => (metadata?.name === rootCaName ? [metadata.namespace ?? ''] : []))],
    async reconcile({ metadata, status }, { cache, api }) {
      const namespace = metadata?.name ?? '';
      if (metadata?.deletionTimestamp || status?.phase === 'Terminating') return settled;
      const current = cache.get(configMaps, { namespace, name: rootCaName });
      if (current && isDeepStrictEqual(current.data, data)) return settled;
      const annotations = { ...current?.metadata?.annotations, 'kubernetes.io/description': description };
      try {
        if (current) await api.update(configMaps, { ...current, metadata: { ...current.metadata, annotations }, data });
        else await api.create(configMaps, { metadata: { name: rootCaName, namespace, annotations }, data });
      } catch (error) {
        const isTerminating = isStatus(error) && error.details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating');
        if (!isTerminating && !isStatus(error, 'AlreadyExists')) throw error;
      }
      return settled;
    },
  });
}
