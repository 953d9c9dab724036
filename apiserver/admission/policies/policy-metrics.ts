// apiserver_validating_admission_policy_* and apiserver_mutating_admission_policy_*: how often policies judged or changed a request,
// and how long their expressions took.

import { Counter, Histogram, type Registry } from 'prom-client';

/** An evaluation worth counting. */
export interface PolicyCheck {
  policy: string;
  binding: string;
  /** Of the failure; undefined where there is none. */
  message: string | undefined;
  seconds: number;
  /** Validating policies only: `allow`, `deny`, `audit`, `warn`. */
  enforcementAction?: string;
}

const buckets = [0.0000005, 0.001, 0.01, 0.1, 1];
const helps = {
  validating: [
    'Validation admission policy check total, labeled by policy and further identified by binding and enforcement action taken.',
    'Validation admission latency for individual validation expressions in seconds, labeled by policy and further including binding and enforcement action taken.',
  ],
  mutating: [
    'Mutation admission policy check total, labeled by policy and further identified by binding.',
    'Mutation admission latency for individual mutation expressions in seconds, labeled by policy and binding.',
  ],
} as const;

export class PolicyMetrics {
  readonly #total: Counter;
  readonly #seconds: Histogram;

  constructor(registry: Registry, sort: 'validating' | 'mutating') {
    const labelNames = ['policy', 'policy_binding', 'error_type', ...(sort === 'validating' ? ['enforcement_action'] : [])];
    const registers = [registry];
    const name = `apiserver_${sort}_admission_policy_check`;
    this.#total = new Counter({ name: `${name}_total`, help: helps[sort][0], labelNames, registers });
    this.#seconds = new Histogram({ name: `${name}_duration_seconds`, help: helps[sort][1], labelNames, buckets, registers });
  }

  observe({ policy, binding, message, seconds, enforcementAction }: PolicyCheck): void {
    const labels: Record<string, string> = { policy, policy_binding: binding, error_type: errorType(message) };
    if (enforcementAction !== undefined) labels['enforcement_action'] = enforcementAction;
    this.#total.inc(labels);
    this.#seconds.observe(labels, seconds);
  }
}

function errorType(message: string | undefined): string {
  if (message === undefined) return 'no_error';
  if (message.startsWith('compilation')) return 'compile_error';
  return message.startsWith('validation failed due to running out of cost budget') ? 'out_of_budget' : 'invalid_error';
}
