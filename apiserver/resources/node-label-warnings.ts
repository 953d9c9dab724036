// Labels of nodes that have newer names: who selects by them is warned (pkg/api/node/util.go).

import { labelValueProblems } from '../../api/validation/formats.ts';

const deprecated: Record<string, string> = {
  'beta.kubernetes.io/arch': 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'deprecated since v1.14; use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region': 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone': 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type': 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
  'app.kubernetes.io/created-by': 'deprecated since v1.9',
  'scheduler.alpha.kubernetes.io/preferAvoidPods': 'deprecated since v1.22; use Taints and Tolerations instead',
  'node-role.kubernetes.io/master': 'use "node-role.kubernetes.io/control-plane" instead',
};

export function nodeLabelWarning(key: string): string | undefined {
  return Object.hasOwn(deprecated, key) ? deprecated[key] : undefined;
}

interface Term {
  matchExpressions?: { key: string; values?: string[] }[];
}

/** `checksValues`: also of values that no label can have, where validation lets them pass. */
export function nodeSelectorTermWarnings({ matchExpressions = [] }: Term, at: string, checksValues = false): string[] {
  return matchExpressions.flatMap(({ key, values = [] }, index) => {
    const text = nodeLabelWarning(key);
    const path = `${at}.matchExpressions[${index}]`;
    const ofValues = values.flatMap((value, i) =>
      labelValueProblems(value).map((problem) => `${path}.values[${i}]: ${value} is invalid, ${problem}`),
    );
    return [...(text ? [`${path}.key: ${key} is ${text}`] : []), ...(checksValues ? ofValues : [])];
  });
}

/** Of a label selector of nodes, at its path. */
export function nodeSelectorWarnings(
  selector: { matchExpressions?: { key: string }[]; matchLabels?: Record<string, string> } | undefined,
  at: string,
): string[] {
  const ofLabels = Object.keys(selector?.matchLabels ?? {}).flatMap((label) => {
    const text = nodeLabelWarning(label);
    return text ? [`${at}.matchLabels.${label}: ${text}`] : [];
  });
  return [...nodeSelectorTermWarnings({ matchExpressions: selector?.matchExpressions ?? [] }, at), ...ofLabels];
}
