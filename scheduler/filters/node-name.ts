// A pod that names its node goes there or nowhere.

import { type Filter, unresolvable } from './filter.ts';

const refusal = unresolvable("node(s) didn't match the requested node name");

export const nodeName: Filter = {
  name: 'NodeName',
  prepare(pod) {
    const wanted = pod.spec?.nodeName;
    return wanted ? (info) => (info.name === wanted ? undefined : refusal) : undefined;
  },
};
