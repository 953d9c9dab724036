// apiserver_admission_webhook_*: how often webhooks were asked, how long they took and what came of it
// (k8s.io/apiserver/pkg/admission/metrics).

import { Counter, Histogram, type Registry } from 'prom-client';

export type WebhookStep = 'admit' | 'validating';

/** One call. */
export interface WebhookCall {
  name: string;
  type: WebhookStep;
  operation: string;
  seconds: number;
  /** 0: the API server itself failed. */
  code: number;
  /** Why the request was rejected; undefined: it was not. */
  rejection: 'no_error' | 'calling_webhook_error' | 'apiserver_internal_error' | undefined;
}

interface ConditionLabels {
  name: string;
  kind: string;
  type: string;
  operation: string;
}

/** Keeps the number of series bounded. */
const codeMax = 600;

export class WebhookMetrics {
  readonly #seconds: Histogram<'name' | 'type' | 'operation' | 'rejected'>;
  readonly #requests: Counter<'name' | 'type' | 'operation' | 'code' | 'rejected'>;
  readonly #rejections: Counter<'name' | 'type' | 'operation' | 'error_type' | 'rejection_code'>;
  readonly #failOpen: Counter<'name' | 'type'>;
  readonly #exclusions: Counter<keyof ConditionLabels>;
  readonly #failures: Counter<keyof ConditionLabels>;
  readonly #conditionSeconds: Histogram<keyof ConditionLabels>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#seconds = new Histogram({
      name: 'apiserver_admission_webhook_admission_duration_seconds',
      help: 'Admission webhook latency histogram in seconds, identified by name and broken out for each operation and API resource and type (validate or admit).',
      labelNames: ['name', 'type', 'operation', 'rejected'],
      buckets: [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 25],
      registers,
    });
    this.#requests = new Counter({
      name: 'apiserver_admission_webhook_request_total',
      help: 'Admission webhook request total, identified by name and broken out for each admission type (validating or admit) and operation. Additional labels specify whether the request was rejected or not and an HTTP status code. Codes greater than 600 are truncated to 600, to keep the metrics cardinality bounded.',
      labelNames: ['name', 'type', 'operation', 'code', 'rejected'],
      registers,
    });
    this.#rejections = new Counter({
      name: 'apiserver_admission_webhook_rejection_count',
      help: 'Admission webhook rejection count, identified by name and broken out for each admission type (validating or admit) and operation. Additional labels specify an error type (calling_webhook_error or apiserver_internal_error if an error occurred; no_error otherwise) and optionally a non-zero rejection code if the webhook rejects the request with an HTTP status code (honored by the apiserver when the code is greater or equal to 400). Codes greater than 600 are truncated to 600, to keep the metrics cardinality bounded.',
      labelNames: ['name', 'type', 'operation', 'error_type', 'rejection_code'],
      registers,
    });
    this.#failOpen = new Counter({
      name: 'apiserver_admission_webhook_fail_open_count',
      help: 'Admission webhook fail open count, identified by name and broken out for each admission type (validating or admit).',
      labelNames: ['name', 'type'],
      registers,
    });
    const labelNames = ['name', 'kind', 'type', 'operation'] as const;
    const ofConditions =
      'identified by name of resource containing the match condition and broken out for each kind containing matchConditions (webhook or policy), operation and admission type (validate or admit).';
    this.#exclusions = new Counter({
      name: 'apiserver_admission_match_condition_exclusions_total',
      help: `Admission match condition evaluation exclusions count, ${ofConditions}`,
      labelNames,
      registers,
    });
    this.#failures = new Counter({
      name: 'apiserver_admission_match_condition_evaluation_errors_total',
      help: `Admission match condition evaluation errors count, ${ofConditions}`,
      labelNames,
      registers,
    });
    this.#conditionSeconds = new Histogram({
      name: 'apiserver_admission_match_condition_evaluation_seconds',
      help: 'Admission match condition evaluation time in seconds, identified by name and broken out for each kind containing matchConditions (webhook or policy), operation and type (validate or admit).',
      labelNames,
      buckets: [0.001, 0.005, 0.01, 0.025, 0.1, 0.2, 0.25],
      registers,
    });
  }

  called({ name, type, operation, seconds, code, rejection }: WebhookCall): void {
    const rejected = String(rejection !== undefined);
    const bounded = String(Math.min(code, codeMax));
    this.#seconds.observe({ name, type, operation, rejected }, seconds);
    this.#requests.inc({ name, type, operation, code: bounded, rejected });
    if (rejection) this.#rejections.inc({ name, type, operation, error_type: rejection, rejection_code: bounded });
  }

  failedOpen(name: string, type: WebhookStep): void {
    this.#failOpen.inc({ name, type });
  }

  conditionsExclude(labels: ConditionLabels): void {
    this.#exclusions.inc({ ...labels });
  }

  conditionsFail(labels: ConditionLabels): void {
    this.#failures.inc({ ...labels });
  }

  conditionsTook(labels: ConditionLabels, seconds: number): void {
    this.#conditionSeconds.observe({ ...labels }, seconds);
  }
}
