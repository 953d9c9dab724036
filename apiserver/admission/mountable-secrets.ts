// Where a service account says so, its pods may use only the secrets that it lists (the annotation
// kubernetes.io/enforce-mountable-secrets, of admission plug-in ServiceAccount).

import type { Container, Pod, ServiceAccount } from '../../api/core.ts';

const annotation = 'kubernetes.io/enforce-mountable-secrets';
/** What Go reads as true. */
const truths = ['1', 't', 'T', 'TRUE', 'true', 'True'];

export const isLimitedToOwnSecrets = ({ metadata }: ServiceAccount) => truths.includes(metadata?.annotations?.[annotation] ?? '');

/** Which secret a pod uses that its account does not list; undefined: none. */
export function foreignSecretOf({ spec }: Pod, account: ServiceAccount): string | undefined {
  const own = namesOf(account.secrets);
  const notAllowed = `is not allowed because service account ${account.metadata?.name} does not reference that`;
  for (const { secret } of spec?.volumes ?? [])
    if (secret && !own.has(secret.secretName)) return `volume with secret.secretName="${secret.secretName}" ${notAllowed} secret`;
  const foreign =
    foreignIn('init container', spec?.initContainers, own, notAllowed) ?? foreignIn('container', spec?.containers, own, notAllowed);
  if (foreign) return foreign;
  const pullable = namesOf(account.imagePullSecrets);
  for (const [index, { name }] of (spec?.imagePullSecrets ?? []).entries())
    if (!pullable.has(name)) return `imagePullSecrets[${index}].name="${name ?? ''}" ${notAllowed} imagePullSecret`;
  return undefined;
}

/** The same of the ephemeral containers alone, which come later. */
export function foreignSecretOfEphemeral({ spec }: Pod, account: ServiceAccount): string | undefined {
  const notAllowed = `is not allowed because service account ${account.metadata?.name} does not reference that`;
  return foreignIn('ephemeral container', spec?.ephemeralContainers, namesOf(account.secrets), notAllowed);
}

function foreignIn(
  what: string,
  containers: readonly Pick<Container, 'name' | 'env' | 'envFrom'>[] | undefined,
  own: ReadonlySet<string | undefined>,
  notAllowed: string,
): string | undefined {
  for (const { name, env, envFrom } of containers ?? []) {
    for (const { name: variable, valueFrom } of env ?? []) {
      const secret = valueFrom?.secretKeyRef;
      if (secret && !own.has(secret.name))
        return `${what} ${name} with envVar ${variable} referencing secret.secretName="${secret.name ?? ''}" ${notAllowed} secret`;
    }
    for (const { secretRef } of envFrom ?? [])
      if (secretRef && !own.has(secretRef.name))
        return `${what} ${name} with envFrom referencing secret.secretName="${secretRef.name ?? ''}" ${notAllowed} secret`;
  }
  return undefined;
}

const namesOf = (references: readonly { name?: string }[] | undefined) => new Set((references ?? []).map(({ name }) => name));
