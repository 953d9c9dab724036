// The admission chain: plug-ins that may change, then plug-ins that may refuse, every write, in their order.

import type { Kind } from '../../api/kind.ts';
import { forbiddenError, StatusError } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import type { Clock } from '../../base/clock.ts';
import type { UserInfo } from '../resources/resource.ts';
import type { AdmissionMetrics, AdmissionStep } from './admission-metrics.ts';
import { Reinvocation } from './reinvocation.ts';

export type AdmissionOperation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

/** One write, as plug-ins see it. `object` is what `admit` may mutate. */
export interface AdmissionAttributes {
  readonly operation: AdmissionOperation;
  /** The resource of the request's path. */
  readonly kind: Kind;
  /** What the objects are where they are not of that kind: those of some subresources (Binding, Scale, PodExecOptions). */
  readonly objectKind?: Pick<Kind, 'group' | 'version' | 'kind'> | undefined;
  /** '' for the main resource. */
  readonly subresource: string;
  readonly namespace: string;
  /** '' while a name is still to be generated, and for deletions of collections. */
  readonly name: string;
  /** undefined for DELETE. */
  readonly object: KubeObject | undefined;
  /** undefined for CREATE and CONNECT. */
  readonly old: KubeObject | undefined;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** CreateOptions, UpdateOptions or DeleteOptions, by the operation. */
  readonly options?: object;
  /** Adds a Warning header to the answer. */
  warn(text: string): void;
  /** Annotates the audit event of the request, if it is recorded at `level` or above; keys are `<plug-in's domain>/<what>`. */
  annotate(key: string, value: string, level?: 'Request'): void;
}

export interface AdmissionPlugin {
  readonly name: string;
  readonly operations: readonly AdmissionOperation[];
  /** Looked at before anything is called; default every kind. */
  handles?(attributes: AdmissionAttributes): boolean;
  /** May mutate `attributes.object`. @throws StatusError to refuse */
  admit?(attributes: AdmissionAttributes, reinvocation: Reinvocation): Promise<void> | void;
  /** @throws StatusError to refuse */
  validate?(attributes: AdmissionAttributes): Promise<void> | void;
}

/** Where a chain measures itself. */
export interface ChainMeasures {
  readonly metrics: AdmissionMetrics;
  readonly clock: Clock;
}

export class AdmissionChain {
  readonly #plugins: readonly AdmissionPlugin[];
  readonly #measures: ChainMeasures | undefined;

  constructor(plugins: readonly AdmissionPlugin[], measures?: ChainMeasures) {
    this.#plugins = plugins;
    this.#measures = measures;
  }

  async admit(attributes: AdmissionAttributes): Promise<void> {
    const reinvocation = new Reinvocation();
    const pass = () => this.#each(attributes, 'admit', (plugin) => plugin.admit?.(attributes, reinvocation));
    return this.#step(attributes, 'admit', async () => {
      await pass();
      if (!reinvocation.isWanted) return;
      reinvocation.isAgain = true;
      await pass();
    });
  }

  async validate(attributes: AdmissionAttributes): Promise<void> {
    return this.#step(attributes, 'validate', () => this.#each(attributes, 'validate', (plugin) => plugin.validate?.(attributes)));
  }

  async #step({ operation }: AdmissionAttributes, step: AdmissionStep, run: () => Promise<void>): Promise<void> {
    const measures = this.#measures;
    if (!measures) return run();
    const startMs = measures.clock.monotonicMs();
    let isRejected = true;
    try {
      await run();
      isRejected = false;
    } finally {
      measures.metrics.step(step, operation, isRejected, (measures.clock.monotonicMs() - startMs) / 1000);
    }
  }

  async #each(attributes: AdmissionAttributes, step: AdmissionStep, run: (plugin: AdmissionPlugin) => Promise<void> | void): Promise<void> {
    const { operation } = attributes;
    const measures = this.#measures;
    for (const plugin of this.#plugins) {
      if (!plugin[step] || !plugin.operations.includes(operation)) continue;
      // What is not about the request takes no time worth measuring, but Kubernetes counts it.
      if (!(plugin.handles?.(attributes) ?? true)) {
        measures?.metrics.controller(plugin.name, step, operation, { isRejected: false, seconds: 0 });
        continue;
      }
      const startMs = measures?.clock.monotonicMs() ?? 0;
      let isRejected = true;
      try {
        const pending = run(plugin);
        if (pending) await pending;
        isRejected = false;
      } finally {
        const seconds = ((measures?.clock.monotonicMs() ?? 0) - startMs) / 1000;
        measures?.metrics.controller(plugin.name, step, operation, { isRejected, seconds });
      }
    }
  }
}

/** Whether a write is one of the kind itself, not of a subresource. */
export const isWriteOf =
  (kind: Kind) =>
  (attributes: AdmissionAttributes): boolean =>
    attributes.kind.plural === kind.plural && attributes.kind.group === kind.group && attributes.subresource === '';

/** Whether a write is one of a pod itself. */
export const isPodWrite = ({ kind, subresource }: AdmissionAttributes): boolean =>
  kind.plural === 'pods' && kind.group === '' && subresource === '';

/** A refusal, by the name that the object has, or is to be made from. */
export function refusal({ kind, name, object }: AdmissionAttributes, why: string): StatusError {
  const { metadata } = object ?? {};
  return forbiddenError(kind, name || metadata?.name || metadata?.generateName || 'Unknown', why);
}

/** Where a plug-in of Kubernetes fails with a plain error: 500, without a reason. */
export const plainError = (message: string): StatusError => new StatusError('', message, { code: 500 });
