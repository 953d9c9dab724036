// pod_security_*: how often pods were judged by the security levels, and how often not
// (k8s.io/pod-security-admission/metrics).

import { Counter, type Registry } from 'prom-client';
import type { AdmissionAttributes } from '../admission.ts';
import { latestMinor } from './evaluate.ts';
import { type LevelVersion, levelText, type Policy, privilegedPolicy } from './policy.ts';

const requestLabels = ['request_operation', 'resource', 'subresource'] as const;
const evaluationLabels = ['decision', 'policy_level', 'policy_version', 'mode', ...requestLabels] as const;

export class PodSecurityMetrics {
  readonly #evaluations: Counter<(typeof evaluationLabels)[number]>;
  readonly #exemptions: Counter<(typeof requestLabels)[number]>;
  readonly #errors: Counter<'fatal' | (typeof requestLabels)[number]>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#evaluations = new Counter({
      name: 'pod_security_evaluations_total',
      help: 'Number of policy evaluations that occurred, not counting ignored or exempt requests.',
      labelNames: evaluationLabels,
      registers,
    });
    this.#exemptions = new Counter({
      name: 'pod_security_exemptions_total',
      help: 'Number of exempt requests, not counting ignored or out of scope requests.',
      labelNames: requestLabels,
      registers,
    });
    this.#errors = new Counter({
      name: 'pod_security_errors_total',
      help: 'Number of errors preventing normal evaluation. Non-fatal errors may result in the latest restricted profile being used for evaluation.',
      labelNames: ['fatal', ...requestLabels],
      registers,
    });
    // What every server will count is there from the start, as in Kubernetes.
    for (const request_operation of ['create', 'update']) {
      const pod = { request_operation, resource: 'pod', subresource: '' };
      this.#evaluations.inc({ decision: 'allow', ...policyLabels(privilegedPolicy.enforce), mode: 'enforce', ...pod }, 0);
      for (const resource of ['pod', 'controller']) this.#exemptions.inc({ ...pod, resource }, 0);
    }
  }

  evaluation(isAllowed: boolean, policy: LevelVersion, mode: keyof Policy, attributes: AdmissionAttributes): void {
    const decision = isAllowed ? 'allow' : 'deny';
    this.#evaluations.inc({ decision, ...policyLabels(policy), mode, ...labelsOf(attributes) });
  }

  exemption(attributes: AdmissionAttributes): void {
    this.#exemptions.inc(labelsOf(attributes));
  }

  /** Labels that could not be read: the request was judged all the same. */
  error(attributes: AdmissionAttributes): void {
    this.#errors.inc({ fatal: 'false', ...labelsOf(attributes) });
  }
}

const labelsOf = ({ operation, kind, subresource }: AdmissionAttributes) => ({
  request_operation: operation.toLowerCase(),
  resource: kind.group === '' && kind.plural === 'pods' ? 'pod' : 'controller',
  subresource,
});

function policyLabels(policy: LevelVersion): { policy_level: string; policy_version: string } {
  const { level, minor } = policy;
  const text = levelText(policy).slice(level.length + 1);
  const isFuture = Number.isFinite(minor) && minor > latestMinor;
  return { policy_level: level, policy_version: level === 'privileged' ? 'latest' : isFuture ? 'future' : text };
}
