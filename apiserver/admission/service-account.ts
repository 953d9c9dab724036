// Every pod has a service account, and, unless it does not want to, that account's token where clients look for it
// (admission plug-in ServiceAccount).

import { type Container, type Pod, pods, type ServiceAccount, serviceAccounts } from '../../api/core.ts';
import type { Clock } from '../../base/clock.ts';
import { nameSuffix, type Random } from '../../base/random.ts';
import { referencesOfPod } from '../authz/pod-references.ts';
import type { ServerParts } from '../handlers/handler.ts';
import type { Served } from '../registry/resource-table.ts';
import { type AdmissionAttributes, type AdmissionPlugin, plainError, refusal } from './admission.ts';
import { foreignSecretOf, foreignSecretOfEphemeral, isLimitedToOwnSecrets } from './mountable-secrets.ts';

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
  async function accountOf(attributes: AdmissionAttributes, name: string): Promise<ServiceAccount> {
    const { namespace } = attributes;
    const account = served && (await findAccount(served, namespace, name, clock));
    if (account) return account;
    const why = `error looking up service account ${namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`;
    throw refusal(attributes, why);
  }
  return {
    name: 'ServiceAccount',
    operations: ['CREATE', 'UPDATE'],
    handles: ({ kind, subresource, operation }) =>
      kind.plural === pods.plural && kind.group === '' && subresource === (operation === 'CREATE' ? '' : 'ephemeralcontainers'),
    begin(server) {
      served = server.resources.ofKind(serviceAccounts);
    },
    async admit(attributes) {
      const pod = attributes.object as Pod;
      if (attributes.operation !== 'CREATE') return;
      if (pod.spec && !isMirrorPod(pod)) await giveAccount(pod, attributes);
      await validate(attributes);
    },
    validate,
  };

  async function giveAccount({ spec }: Pod, attributes: AdmissionAttributes): Promise<void> {
    if (!spec) return;
    const name = spec.serviceAccountName || 'default';
    spec.serviceAccountName = name;
    spec.serviceAccount = name;
    const account = await accountOf(attributes, name);
    if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(spec, random);
    if (!spec.imagePullSecrets?.length && account.imagePullSecrets?.length)
      spec.imagePullSecrets = structuredClone(account.imagePullSecrets);
  }

  async function validate(attributes: AdmissionAttributes): Promise<void> {
    const pod = attributes.object as Pod;
    const name = pod.spec?.serviceAccountName ?? '';
    const isNew = attributes.operation === 'CREATE';
    if (isNew && isMirrorPod(pod)) return checkMirrorPod(pod, attributes);
    if (!isNew && !name) throw refusal(attributes, `no service account specified for pod ${attributes.namespace}/${pod.metadata?.name}`);
    const account = await accountOf(attributes, name);
    if (!isLimitedToOwnSecrets(account)) return;
    const foreign = isNew ? foreignSecretOf(pod, account) : foreignSecretOfEphemeral(pod, account);
    // Of ephemeral containers Kubernetes fails with a plain error.
    if (foreign) throw isNew ? refusal(attributes, foreign) : plainError(foreign);
  }
}

const isMirrorPod = ({ metadata }: Pod) => metadata?.annotations?.[mirrorAnnotation] !== undefined;

/** What a mirror pod is of has been decided by its node. */
function checkMirrorPod(pod: Pod, attributes: AdmissionAttributes): void {
  const { spec } = pod;
  if (spec?.serviceAccountName) throw refusal(attributes, 'a mirror pod may not reference service accounts');
  for (const reference of referencesOfPod(pod))
    if (reference.startsWith('secrets/')) throw refusal(attributes, 'a mirror pod may not reference secrets');
  const speaksOfToken = spec?.volumes?.some((volume) => volume.projected?.sources?.some((source) => source.serviceAccountToken));
  if (speaksOfToken) throw refusal(attributes, 'a mirror pod may not use ServiceAccountToken volume projections');
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

function mountToken(spec: NonNullable<Pod['spec']>, random: Random): void {
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
