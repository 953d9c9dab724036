// Validating webhooks: asked all at once about what is going to be stored (admission plug-in ValidatingAdmissionWebhook).

import type { ValidatingWebhook } from '../../../api/admissionregistration.ts';
import type { Kind } from '../../../api/kind.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts';
import type { VersionedRequest } from './admission-review.ts';
import { ask } from './asking.ts';
import { type Hook, isExempt, relevantKind, validatingHooks, versioned } from './hooks.ts';
import type { WebhookOptions } from './mutating.ts';

export function validatingWebhooks({ view, random, client, authorizer, metrics }: WebhookOptions): AdmissionPlugin {
  const list = validatingHooks(view);
  const asking = { view, random, client, metrics, step: 'validating' as const };
  return {
    name: 'ValidatingAdmissionWebhook',
    operations: ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'],
    handles: (attributes) => list.hooks.length > 0 && !isExempt(attributes),
    async validate(attributes) {
      const versionedAs = oncePerKind((kind) => versioned(view, attributes, kind));
      const relevant: { hook: Hook<ValidatingWebhook>; request: VersionedRequest }[] = [];
      for (const hook of list.hooks) {
        const kind = await relevantKind({ view, authorizer, metrics, step: 'validating' }, hook, attributes, versionedAs);
        if (kind) relevant.push({ hook, request: await versionedAs(kind) });
      }
      const outcomes = await Promise.allSettled(
        relevant.map(({ hook, request }, index) =>
          ask(asking, hook.webhook, {
            attributes,
            versioned: request,
            use: () => true,
            failedOpen: () => annotateFailure(attributes, hook, index),
          }),
        ),
      );
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    },
  };
}

function annotateFailure(attributes: AdmissionAttributes, { webhook }: Hook<ValidatingWebhook>, index: number): void {
  attributes.annotate(`failed-open.validating.webhook.admission.k8s.io/round_0_index_${index}`, webhook.name);
}

function oncePerKind(make: (kind: Kind) => Promise<VersionedRequest>): (kind: Kind) => Promise<VersionedRequest> {
  const made = new Map<Kind, Promise<VersionedRequest>>();
  return (kind) => {
    const known = made.get(kind) ?? make(kind);
    made.set(kind, known);
    return known;
  };
}
