// The webhooks of all configurations, in their order, and which of them are about a request, as one of which kind.

import {
  type MutatingWebhook,
  mutatingWebhookConfigurations,
  type ValidatingWebhook,
  validatingWebhookConfigurations,
} from '../../../api/admissionregistration.ts';
import { apiVersionOf, type Kind } from '../../../api/kind.ts';
import { forbiddenError, internalError } from '../../../api/status.ts';
import type { KubeObject } from '../../../api/wire.ts';
import type { Authorizer } from '../../authz/authorizer.ts';
import { CelError } from '../../cel/environment.ts';
import { versionsOf } from '../../registry/served-versions.ts';
import type { AdmissionAttributes } from '../admission.ts';
import type { ClusterView } from '../cluster-view.ts';
import { matchedKind, selectorsMatch } from '../matching.ts';
import { Evaluation } from '../policies/evaluation.ts';
import { conditionsHold } from '../policies/match-conditions.ts';
import type { VersionedRequest } from './admission-review.ts';
import type { WebhookMetrics } from './webhook-metrics.ts';

export type Webhook = MutatingWebhook | ValidatingWebhook;

/** A webhook in its configuration. */
export interface Hook<W extends Webhook> {
  readonly webhook: W;
  readonly configuration: string;
  /** Names it among all, though names within a configuration may repeat. */
  readonly uid: string;
}

interface Configuration<W> extends KubeObject {
  webhooks?: W[];
}

/** By configuration's name, then by position. */
export class HookList<W extends Webhook> {
  readonly #list: () => readonly Configuration<W>[];
  #listed: readonly Configuration<W>[] | undefined;
  #hooks: readonly Hook<W>[] = [];

  constructor(list: () => readonly Configuration<W>[]) {
    this.#list = list;
  }

  get hooks(): readonly Hook<W>[] {
    const listed = this.#list();
    if (listed !== this.#listed) {
      this.#listed = listed;
      this.#hooks = listed.toSorted(byName).flatMap(hooksOf);
    }
    return this.#hooks;
  }
}

export const mutatingHooks = (view: ClusterView) => new HookList(() => view.list(mutatingWebhookConfigurations));
export const validatingHooks = (view: ClusterView) => new HookList(() => view.list(validatingWebhookConfigurations));

const nameOf = ({ metadata }: KubeObject) => metadata?.name ?? '';
const byName = (a: KubeObject, b: KubeObject) => (nameOf(a) < nameOf(b) ? -1 : 1);

function hooksOf<W extends Webhook>(configuration: Configuration<W>): Hook<W>[] {
  const name = nameOf(configuration);
  const count = new Map<string, number>();
  return (configuration.webhooks ?? []).map((webhook) => {
    const before = count.get(webhook.name) ?? 0;
    count.set(webhook.name, before + 1);
    return { webhook, configuration: name, uid: `${name}/${webhook.name}/${before}` };
  });
}

/** What decides about admission must stay repairable when admission is broken. */
export const isExempt = ({ kind }: AdmissionAttributes): boolean => kind.group === 'admissionregistration.k8s.io';

export interface Relevance {
  view: ClusterView;
  authorizer: Authorizer | undefined;
  metrics: WebhookMetrics | undefined;
  /** As metrics call the step. */
  step: 'admit' | 'validating';
}

/** As which kind the webhook is to be asked about the request; undefined: not at all. @throws StatusError */
export async function relevantKind(
  { view, authorizer, metrics, step }: Relevance,
  { webhook }: Hook<Webhook>,
  attributes: AdmissionAttributes,
  versionedAs: (kind: Kind) => Promise<VersionedRequest>,
): Promise<Kind | undefined> {
  const kind = matchedKind(view, webhook, attributes);
  if (!kind || !(await selectorsMatch(view, webhook, attributes))) return undefined;
  if (!webhook.matchConditions?.length) return kind;
  const { object, old } = await versionedAs(kind);
  const seen = { ...attributes, object, old };
  const labels = { name: webhook.name, kind: 'webhook', type: step, operation: attributes.operation };
  const startMs = view.measures?.clock.monotonicMs() ?? 0;
  try {
    if (await conditionsHold(webhook.matchConditions, await Evaluation.of(seen, view, authorizer, kind))) return kind;
    metrics?.conditionsExclude(labels);
    return undefined;
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    metrics?.conditionsFail(labels);
    if (webhook.failurePolicy === 'Ignore') return undefined;
    throw forbiddenError(attributes.kind, attributes.name, error.message);
  } finally {
    metrics?.conditionsTook(labels, ((view.measures?.clock.monotonicMs() ?? 0) - startMs) / 1000);
  }
}

/** The request as one of `kind`: its objects are converted, where they are of the kind that the path names. @throws StatusError */
export async function versioned(view: ClusterView, attributes: AdmissionAttributes, kind: Kind): Promise<VersionedRequest> {
  const { object, old } = attributes;
  if (kind === attributes.kind || attributes.objectKind) return { kind, object, old };
  const [newer, older] = await Promise.all([object, old].map((each) => each && converted(view, each, attributes.kind, kind)));
  return { kind, object: newer, old: older };
}

/** The object, of kind `from`, as one of kind `to`. @throws StatusError */
export async function converted(view: ClusterView, object: KubeObject, from: Kind, to: Kind): Promise<KubeObject> {
  const served = view.resources.ofKind(from);
  if (!served) throw internalError(`unable to convert to ${apiVersionOf(to)}, Resource=${to.plural}: unknown kind`);
  try {
    return await versionsOf(served, view.resources).convert(structuredClone(object), apiVersionOf(to));
  } catch (error) {
    throw internalError(error instanceof Error ? error.message : String(error));
  }
}
