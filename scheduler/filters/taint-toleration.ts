// NoSchedule and NoExecute taints keep away pods that do not tolerate them.

import { untoleratedTaint } from '../taints.ts';
import { type Filter, unresolvable } from './filter.ts';

const effects = ['NoSchedule', 'NoExecute'];
const refusal = unresolvable('node(s) had untolerated taint(s)');

export const taintToleration: Filter = {
  name: 'TaintToleration',
  prepare: (pod) => (info) => (untoleratedTaint(info.node.spec?.taints, pod.spec?.tolerations, effects) ? refusal : undefined),
};
