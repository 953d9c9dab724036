// The admission chain: plug-ins that may change, then plug-ins that may refuse, every write, in their order.

import type { Kind } from '../../api/kind.ts';
import type { KubeObject } from '../../api/wire.ts';
import type { UserInfo } from '../resources/resource.ts';
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

export class AdmissionChain {
  readonly #plugins: readonly AdmissionPlugin[];

  constructor(plugins: readonly AdmissionPlugin[]) {
    this.#plugins = plugins;
  }

  async admit(attributes: AdmissionAttributes): Promise<void> {
    const reinvocation = new Reinvocation();
    await this.#admit(attributes, reinvocation);
    if (!reinvocation.isWanted) return;
    reinvocation.isAgain = true;
    await this.#admit(attributes, reinvocation);
  }

  async #admit(attributes: AdmissionAttributes, reinvocation: Reinvocation): Promise<void> {
    for (const plugin of this.#plugins) {
      if (!plugin.admit || !concerns(plugin, attributes)) continue;
      const pending = plugin.admit(attributes, reinvocation);
      if (pending) await pending;
    }
  }

  async validate(attributes: AdmissionAttributes): Promise<void> {
    for (const plugin of this.#plugins) {
      if (!plugin.validate || !concerns(plugin, attributes)) continue;
      const pending = plugin.validate(attributes);
      if (pending) await pending;
    }
  }
}

const concerns = (plugin: AdmissionPlugin, attributes: AdmissionAttributes) =>
  plugin.operations.includes(attributes.operation) && (plugin.handles?.(attributes) ?? true);

/** Whether a write is one of the kind itself, not of a subresource. */
export const isWriteOf =
  (kind: Kind) =>
  (attributes: AdmissionAttributes): boolean =>
    attributes.kind.plural === kind.plural && attributes.kind.group === kind.group && attributes.subresource === '';

/** Whether a write is one of a pod itself. */
export const isPodWrite = ({ kind, subresource }: AdmissionAttributes): boolean =>
  kind.plural === 'pods' && kind.group === '' && subresource === '';
