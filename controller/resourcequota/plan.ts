// What a namespace uses of a quota, counted from its objects.

import type { ResourceQuota } from '../../api/core.ts';
import type { Kind } from '../../api/kind.ts';
import type { ResourceAmounts } from '../../api/pods.ts';
import { formatQuantity, type Quantity } from '../../api/quantity.ts';
import { addUsage, quotaScopesMatch, quotaUsageOf } from '../../api/quota-usage.ts';
import type { KubeObject } from '../../api/wire.ts';

/** The status that `quota` should have when these objects are all there are. */
export function countUsage(
  quota: ResourceQuota,
  objects: readonly (readonly [Kind, readonly KubeObject[]])[],
  nowMs: number,
): ResourceQuota['status'] {
  const hard = quota.spec?.hard ?? {};
  const sum: ResourceAmounts = {};
  for (const [kind, list] of objects)
    for (const object of list) if (quotaScopesMatch(quota.spec ?? {}, kind, object)) addUsage(sum, quotaUsageOf(kind, object, nowMs));
  const used: Record<string, string> = {};
  for (const name in hard) used[name] = formatQuantity(sum[name] ?? ({ nano: 0n, format: 'DecimalSI' } satisfies Quantity));
  return { hard: { ...hard }, used };
}
