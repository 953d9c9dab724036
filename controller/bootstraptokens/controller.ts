// Bootstrap tokens are deleted when their time is over, and sign the ConfigMap `cluster-info`, by which a machine that
// knows a token knows the cluster.

import { isDeepStrictEqual } from 'node:util';
import { configMaps, secrets } from '../../api/core.ts';
import { isStatus } from '../../api/status.ts';
import { type Controller, controller, settled, watching } from '../../client/controller.ts';
import { bootstrapTokenType, expirationMsOf, planSignatures, signingToken } from './plan.ts';

const tokenNamespace = 'kube-system';
const infoNamespace = 'kube-public';
const infoName = 'cluster-info';

export const tokenCleaner: Controller = controller({
  name: 'tokencleaner',
  queueName: 'token_cleaner',
  of: secrets,
  async reconcile(secret, { api, clock }) {
    const { namespace, name = '', uid = '' } = secret.metadata ?? {};
    if (secret.type !== bootstrapTokenType || namespace !== tokenNamespace) return settled;
    const leftMs = expirationMsOf(secret) - clock.nowMs();
    if (leftMs > 0) return Number.isFinite(leftMs) ? { afterSeconds: leftMs / 1000 } : settled;
    try {
      await api.delete(secrets, { namespace, name }, { preconditions: { uid } });
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
    return settled;
  },
});

export const bootstrapSigner: Controller = controller({
  name: 'bootstrapsigner',
  queueName: 'bootstrap_signer_queue',
  of: configMaps,
  watches: [watching(secrets, ({ type }) => (type === bootstrapTokenType ? [`${infoNamespace}/${infoName}`] : []))],
  async reconcile(info, { api, cache, clock }) {
    if (info.metadata?.namespace !== infoNamespace || info.metadata.name !== infoName) return settled;
    const tokens = cache.list(secrets, tokenNamespace).flatMap((secret) => signingToken(secret, clock.nowMs()) ?? []);
    const data = planSignatures(info.data ?? {}, tokens);
    if (!isDeepStrictEqual(data, info.data ?? {})) await api.update(configMaps, { ...info, data });
    return settled;
  },
});
