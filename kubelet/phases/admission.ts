// Whether this node may run a pod at all: enough of everything it asks for, its selector and affinity, its ports. A pod
// that may not is Failed, with the reasons of pkg/kubelet/lifecycle. Pure.

import type { Node, Pod } from '../../api/core.ts';
import { selectorMatches, selectorOf, selectorOfMap } from '../../api/labels.ts';
import { podRequests } from '../../api/pods.ts';
import { quantityMilliValue, quantityValue } from '../../api/quantity.ts';

export interface Rejection {
  reason: string;
  message: string;
}

/** undefined: admitted. `others` are the pods that the node runs already. */
export function admit(pod: Pod, node: Node, others: readonly Pod[]): Rejection | undefined {
  const os = pod.spec?.os?.name;
  if (os && os !== 'linux') return rejected('PodOSNotSupported', "Failed to admit pod as the OS field doesn't match node OS");
  return resourcesMissing(pod, node, others) ?? affinityMissed(pod, node) ?? portsTaken(pod, others) ?? taintsNotTolerated(pod, node);
}

const rejected = (reason: string, message: string): Rejection => ({ reason, message: `Pod was rejected: ${message}` });

function resourcesMissing(pod: Pod, node: Node, others: readonly Pod[]): Rejection | undefined {
  const allocatable = node.status?.allocatable ?? {};
  const short = (name: string, requested: number, used: number, capacity: number) =>
    rejected(`OutOf${name}`, `Node didn't have enough resource: ${name}, requested: ${requested}, used: ${used}, capacity: ${capacity}`);
  const podsMax = quantityValue(allocatable['pods'] ?? '110');
  if (others.length + 1 > podsMax) return short('pods', 1, others.length, podsMax);
  const wanted = podRequests(pod);
  for (const [name, quantity] of Object.entries(wanted)) {
    const capacityText = allocatable[name];
    // What this node has never heard of is the scheduler's business.
    if (capacityText === undefined && !['cpu', 'memory'].includes(name)) continue;
    const amount = name === 'cpu' ? quantityMilliValue : quantityValue;
    const requested = amount(quantity);
    const capacity = amount(capacityText ?? '0');
    const used = others.reduce((sum, other) => {
      const theirs = podRequests(other)[name];
      return theirs ? sum + amount(theirs) : sum;
    }, 0);
    if (requested > 0 && requested + used > capacity) return short(name, requested, used, capacity);
  }
  return undefined;
}

function affinityMissed(pod: Pod, node: Node): Rejection | undefined {
  const labels = node.metadata?.labels;
  const terms = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  const isSelected =
    selectorMatches(selectorOfMap(pod.spec?.nodeSelector), labels) && (!terms || terms.some((term) => termMatches(term, node)));
  if (isSelected) return undefined;
  return rejected('NodeAffinity', "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector");
}

interface Term {
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
  matchFields?: { key: string; operator: string; values?: string[] }[];
}

function termMatches(term: Term, node: Node): boolean {
  const expressions = term.matchExpressions ?? [];
  const fields = term.matchFields ?? [];
  if (expressions.length === 0 && fields.length === 0) return false;
  const numeric = expressions.filter((e) => e.operator === 'Gt' || e.operator === 'Lt');
  const plain = selectorOf({ matchExpressions: expressions.filter((e) => !numeric.includes(e)) }) ?? [];
  const labels = node.metadata?.labels ?? {};
  const isNumericOk = numeric.every(({ key, operator, values = [] }) => {
    const [left, right] = [Number(labels[key] ?? Number.NaN), Number(values[0])];
    return operator === 'Gt' ? left > right : left < right;
  });
  const name = node.metadata?.name ?? '';
  const isFieldOk = fields.every(({ operator, values = [] }) => values.includes(name) === (operator === 'In'));
  return isNumericOk && isFieldOk && selectorMatches(plain, labels);
}

function portsTaken(pod: Pod, others: readonly Pod[]): Rejection | undefined {
  const taken = others.flatMap(hostPorts);
  const isTaken = hostPorts(pod).some((port) =>
    taken.some((t) => t.port === port.port && t.protocol === port.protocol && (t.ip === port.ip || isAny(t.ip) || isAny(port.ip))),
  );
  return isTaken
    ? rejected('NodePorts', "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports")
    : undefined;
}

const isAny = (ip: string) => ip === '' || ip === '0.0.0.0' || ip === '::';

function hostPorts(pod: Pod): { port: number; protocol: string; ip: string }[] {
  return (pod.spec?.containers ?? []).flatMap((container) =>
    (container.ports ?? [])
      .map((p) => ({
        port: p.hostPort ?? (pod.spec?.hostNetwork ? p.containerPort : 0),
        protocol: p.protocol ?? 'TCP',
        ip: p.hostIP ?? '',
      }))
      .filter((p) => p.port > 0),
  );
}

function taintsNotTolerated(pod: Pod, node: Node): Rejection | undefined {
  // Static pods run on whatever their node is.
  if (pod.metadata?.annotations?.['kubernetes.io/config.source'] === 'file') return undefined;
  const tolerations = pod.spec?.tolerations ?? [];
  const untolerated = (node.spec?.taints ?? []).filter(
    (taint) =>
      taint.effect === 'NoExecute' &&
      !tolerations.some(
        (t) =>
          (!t.effect || t.effect === taint.effect) &&
          (!t.key || t.key === taint.key) &&
          (t.operator === 'Exists' || (t.key === taint.key && (t.value ?? '') === (taint.value ?? ''))),
      ),
  );
  if (untolerated.length === 0) return undefined;
  return rejected('TaintToleration', `Predicate TaintToleration failed: node(s) had untolerated taint(s)`);
}
