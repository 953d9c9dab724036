// nodeSelector and required node affinity.

import { matchesNodeAffinity } from '../node-affinity.ts';
import { type Filter, unresolvable } from './filter.ts';

const refusal = unresolvable("node(s) didn't match Pod's node affinity/selector");

export const nodeAffinity: Filter = {
  name: 'NodeAffinity',
  prepare(pod) {
    const { spec } = pod;
    if (!spec?.nodeSelector && !spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution) return undefined;
    return (info) => (matchesNodeAffinity(spec, info.node) ? undefined : refusal);
  },
};
