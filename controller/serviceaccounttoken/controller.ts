// Secrets of type kubernetes.io/service-account-token are filled with a token of the account that they name, and go when
// the account goes.

import { type Secret, type ServiceAccount, secrets, serviceAccounts } from '../../api/core.ts';
import { isStatus } from '../../api/status.ts';
import { keyOf } from '../../client/cache.ts';
import { type Controller, controller, type ReconcileContext, settled, watching } from '../../client/controller.ts';

const tokenType = 'kubernetes.io/service-account-token';
const nameAnnotation = 'kubernetes.io/service-account.name';
const uidAnnotation = 'kubernetes.io/service-account.uid';
const byAccount = 'token secrets by account';

/** Signs a token that is good as long as the secret holds it. */
export type IssueToken = (account: ServiceAccount, secret: Secret) => string;

/** @param rootCa PEM */
export function serviceAccountTokenController(issue: IssueToken, rootCa: string): Controller {
  return controller({
    name: 'serviceaccount-token',
    queueName: 'serviceaccount_tokens_secret',
    of: secrets,
    watches: [
      watching(serviceAccounts, ({ metadata }, cache) => {
        const tokens = cache.of(secrets);
        tokens.addIndex(byAccount, (secret) => (secret.type === tokenType ? [accountKeyOf(secret)] : []));
        return tokens.byIndex(byAccount, `${metadata?.namespace}/${metadata?.name}`).map(keyOf);
      }),
    ],
    async reconcile(secret, context) {
      if (secret.type !== tokenType || secret.metadata?.deletionTimestamp) return settled;
      const account = await accountOf(secret, context);
      if (account) await fill(secret, account, context);
      else await remove(secret, context);
      return settled;
    },
  });

  async function fill(secret: Secret, account: ServiceAccount, { api }: ReconcileContext): Promise<void> {
    const { data = {}, metadata } = secret;
    const { uid = '' } = account.metadata ?? {};
    const ca = Buffer.from(rootCa).toString('base64');
    const isWhole = data.token && data.namespace && data['ca.crt'] === ca && metadata?.annotations?.[uidAnnotation] === uid;
    if (isWhole) return;
    await api.update(secrets, {
      ...secret,
      metadata: { ...metadata, annotations: { ...metadata?.annotations, [uidAnnotation]: uid } },
      data: {
        ...data,
        'ca.crt': ca,
        namespace: data.namespace || Buffer.from(metadata?.namespace ?? '').toString('base64'),
        token: data.token || Buffer.from(issue(account, secret)).toString('base64'),
      },
    });
  }
}

const accountKeyOf = ({ metadata }: Secret) => `${metadata?.namespace}/${metadata?.annotations?.[nameAnnotation] ?? ''}`;

/** The account that the secret is for, if it is still the one of that name; asked anew before one counts as gone. */
async function accountOf({ metadata }: Secret, { api, cache }: ReconcileContext): Promise<ServiceAccount | undefined> {
  const at = { namespace: metadata?.namespace, name: metadata?.annotations?.[nameAnnotation] ?? '' };
  const uid = metadata?.annotations?.[uidAnnotation];
  const isMeant = (account: ServiceAccount) => !uid || account.metadata?.uid === uid;
  const known = cache.get(serviceAccounts, at);
  if (known && isMeant(known)) return known;
  try {
    const account = await api.get(serviceAccounts, at);
    return isMeant(account) ? account : undefined;
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error;
    return undefined;
  }
}

async function remove({ metadata }: Secret, { api }: ReconcileContext): Promise<void> {
  const { namespace, name = '', uid = '', resourceVersion = '' } = metadata ?? {};
  try {
    await api.delete(secrets, { namespace, name }, { preconditions: { uid, resourceVersion } });
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error;
  }
}
