// Every pod has a service account, and, unless it does not want to, that account's token where clients look for it
// (admission plug-in ServiceAccount).

import { type Container, type Pod, pods, type ServiceAccount, serviceAccounts } from '../../api/core.ts';
import { forbiddenError } from '../../api/status.ts';
import type { Clock } from '../../base/clock.ts';
import { nameSuffix, type Random } from '../../base/random.ts';
import type { ServerParts } from '../handlers/handler.ts';
import type { Served } from '../registry/resource-table.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './admission.ts';

const tokenDirectory = '/var/run/secrets/kubernetes.io/serviceaccount';
const mirrorAnnotation = 'kubernetes.io/config.mirror';
const volumePrefix = 'kube-api-access-';
/** How long a pod waits for the account that every namespace gets. */
const defaultAccountWaitMs = 1500;

/** `begin` goes into ApiServerOptions.begin. */
export function serviceAccountAdmission({ clock, random }: { clock: Clock; random: Random }): AdmissionPlugin & {
  begin(server: ServerParts): void;
} {
  let served: Served | undefined;
  return {
    name: 'ServiceAccount',
    operations: ['CREATE'],
    handles: ({ kind, subresource }) => kind.plural === pods.plural && kind.group === '' && subresource === '',
    begin(server) {
      served = server.resources.ofKind(serviceAccounts);
    },
    async admit(attributes) {
      const pod = attributes.object as Pod;
      if (!pod.spec) return;
      if (pod.metadata?.annotations?.[mirrorAnnotation] !== undefined) return checkMirrorPod(pod, attributes);
      const name = pod.spec.serviceAccountName || 'default';
      pod.spec.serviceAccountName = name;
      pod.spec.serviceAccount = name;
      const account = served && (await findAccount(served, attributes.namespace, name, clock));
      if (!account) {
        const why = `error looking up service account ${attributes.namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`;
        throw forbiddenError(attributes.kind, attributes.name, why);
      }
      if (pod.spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(pod, random);
      if (!pod.spec.imagePullSecrets?.length && account.imagePullSecrets?.length)
        pod.spec.imagePullSecrets = structuredClone(account.imagePullSecrets);
    },
  };
}

function checkMirrorPod({ spec }: Pod, { kind, name }: AdmissionAttributes): void {
  if (spec?.serviceAccountName) throw forbiddenError(kind, name, 'a mirror pod may not reference service accounts');
  const speaksOfToken = spec?.volumes?.some((volume) => volume.projected?.sources?.some((source) => source.serviceAccountToken));
  if (speaksOfToken) throw forbiddenError(kind, name, 'a mirror pod may not use ServiceAccountToken volume projections');
}

/** From the cache, else from the store; the `default` account of a young namespace is waited for. */
async function findAccount(served: Served, namespace: string, name: string, clock: Clock): Promise<ServiceAccount | undefined> {
  const { cache, registry } = served;
  const key = registry.codec.keyOf(namespace, name);
  const known = cache.get(key) ?? (await registry.fresh(namespace, name));
  if (known || name !== 'default') return known?.parse() as ServiceAccount | undefined;
  await new Promise<void>((resolve) => {
    const done = () => {
      timer.cancel();
      stop();
      resolve();
    };
    const stop = cache.listen({ change: ({ after }) => void (after?.key === key && done()), expired: done });
    const timer = clock.setTimer(defaultAccountWaitMs, done);
  });
  return (await registry.fresh(namespace, name))?.parse() as ServiceAccount | undefined;
}

function mountToken(pod: Pod, random: Random): void {
  const spec = pod.spec as NonNullable<Pod['spec']>;
  const containers: Container[] = [...(spec.initContainers ?? []), ...spec.containers];
  const lacking = containers.filter((container) => !container.volumeMounts?.some(({ mountPath }) => mountPath === tokenDirectory));
  if (lacking.length === 0) return;
  const known = spec.volumes?.find((volume) => volume.name.startsWith(volumePrefix));
  const name = known?.name ?? volumePrefix + nameSuffix(random);
  for (const container of lacking) {
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath: tokenDirectory }];
  }
  if (known) return;
  const volume = {
    name,
    projected: {
      defaultMode: 0o644,
      sources: [
        { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
      ],
    },
  };
  spec.volumes = [...(spec.volumes ?? []), volume];
}
