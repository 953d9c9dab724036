// Who has which host: a ConfigMap per Site in the operator's namespace, outside the reach of the garbage collector.

import { K8s, kind } from 'kubernetes-fluent-client';
import { hostLabel, operatorNamespace } from './site.ts';

/** Notes that `owner`, a `namespace.name`, has `host`. */
export async function takeHost(owner: string, host: string): Promise<void> {
  const metadata = { name: `host-${owner}`, namespace: operatorNamespace, labels: { [hostLabel]: 'taken' } };
  await K8s(kind.ConfigMap).Apply({ metadata, data: { host, owner } });
}

export async function giveHostBack(owner: string): Promise<void> {
  await K8s(kind.ConfigMap).InNamespace(operatorNamespace).Delete(`host-${owner}`);
}

/** The `namespace.name` of the Site that has `host`. */
export async function ownerOfHost(host: string): Promise<string | undefined> {
  const { items } = await K8s(kind.ConfigMap).InNamespace(operatorNamespace).WithLabel(hostLabel, 'taken').Get();
  return items.find(({ data }) => data?.['host'] === host)?.data?.['owner'];
}
