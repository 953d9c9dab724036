// A cordoned node takes only pods that tolerate being there.

import { tolerates } from '../taints.ts';
import { type Filter, unresolvable } from './filter.ts';

const taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };
const refusal = unresolvable('node(s) were unschedulable');

export const nodeUnschedulable: Filter = {
  name: 'NodeUnschedulable',
  prepare(pod) {
    if (pod.spec?.tolerations?.some((toleration) => tolerates(toleration, taint))) return undefined;
    return (info) => (info.node.spec?.unschedulable ? refusal : undefined);
  },
};
