// Namespaces' pod security levels: pods that break the enforced one are refused, those that break the warned one are told
// so, as are workloads whose template does (admission plug-in PodSecurity).

import { namespaces, type Pod } from '../../api/core.ts';
import { forbiddenError } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './admission.ts';
import type { ClusterView } from './cluster-view.ts';
import { type Level, podSecurityViolations } from './pod-security-checks.ts';

const templated = new Set([
  'deployments',
  'replicasets',
  'statefulsets',
  'daemonsets',
  'replicationcontrollers',
  'jobs',
  'cronjobs',
  'podtemplates',
]);
const prefix = 'pod-security.kubernetes.io/';

const isPod = ({ kind, subresource }: AdmissionAttributes) =>
  kind.group === '' && kind.plural === 'pods' && (subresource === '' || subresource === 'ephemeralcontainers');
const isTemplated = ({ kind, subresource }: AdmissionAttributes) =>
  templated.has(kind.plural) && ['', 'apps', 'batch'].includes(kind.group) && subresource === '';

export function podSecurity(view: ClusterView): AdmissionPlugin {
  return {
    name: 'PodSecurity',
    operations: ['CREATE', 'UPDATE'],
    handles: (attributes) => isPod(attributes) || isTemplated(attributes),
    async validate(attributes) {
      const labels = (await view.get(namespaces, '', attributes.namespace))?.metadata?.labels;
      const enforced = levelOf(labels, 'enforce');
      const warned = levelOf(labels, 'warn');
      if (enforced === 'privileged' && warned === 'privileged') return;
      const pod = isPod(attributes) ? (attributes.object as Pod) : templateOf(attributes.object);
      if (!pod) return;
      const refused = isPod(attributes) ? violationText(labels, 'enforce', enforced, pod) : '';
      if (refused) throw forbiddenError(attributes.kind, attributes.name, `violates PodSecurity ${refused}`);
      const told = violationText(labels, 'warn', warned, pod);
      if (told) attributes.warn(`would violate PodSecurity ${told}`);
    },
  };
}

/** A level that is none is the strictest. */
function levelOf(labels: Readonly<Record<string, string>> | undefined, mode: string): Level {
  const level = labels?.[prefix + mode];
  if (level === undefined || level === 'privileged') return 'privileged';
  return level === 'baseline' ? 'baseline' : 'restricted';
}

function violationText(labels: Readonly<Record<string, string>> | undefined, mode: string, level: Level, pod: Pod): string {
  const violations = podSecurityViolations(level, pod);
  if (violations.length === 0) return '';
  return `"${level}:${labels?.[`${prefix}${mode}-version`] ?? 'latest'}": ${violations.join(', ')}`;
}

interface Templated extends KubeObject {
  template?: Pod;
  spec?: { template?: Pod; jobTemplate?: { spec?: { template?: Pod } } };
}

function templateOf(object: Templated | undefined): Pod | undefined {
  return object?.spec?.template ?? object?.spec?.jobTemplate?.spec?.template ?? object?.template;
}
