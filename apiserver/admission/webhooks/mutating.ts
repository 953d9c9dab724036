// Mutating webhooks: asked one after the other, each about what the one before has made of the object (admission plug-in
// MutatingAdmissionWebhook).

import type { MutatingWebhook } from '../../../api/admissionregistration.ts';
import { parseJson, stringifyJson } from '../../../api/json.ts';
import type { Kind } from '../../../api/kind.ts';
import { jsonPatch } from '../../../api/patch/json-patch.ts';
import { internalError, StatusError } from '../../../api/status.ts';
import { semanticEqual } from '../../../api/validation/semantic-equal.ts';
import type { KubeObject } from '../../../api/wire.ts';
import type { Random } from '../../../base/random.ts';
import type { Authorizer } from '../../authz/authorizer.ts';
import { defaultObject } from '../../resources/defaulted.ts';
import { decodeObject } from '../../schema/decode.ts';
import { schemaOf } from '../../schema/schema.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts';
import type { ClusterView } from '../cluster-view.ts';
import type { Reinvocation } from '../reinvocation.ts';
import { replaceObject } from '../replace-object.ts';
import type { ReviewAnswer } from './admission-review.ts';
import { type Asking, ask } from './asking.ts';
import { converted, type Hook, isExempt, mutatingHooks, relevantKind, versioned } from './hooks.ts';
import { WebhookCallError } from './webhook-call-error.ts';
import type { WebhookClient } from './webhook-client.ts';
import type { WebhookMetrics } from './webhook-metrics.ts';

export interface WebhookOptions {
  view: ClusterView;
  random: Random;
  client: WebhookClient;
  authorizer: Authorizer | undefined;
  metrics: WebhookMetrics | undefined;
}

const name = 'MutatingAdmissionWebhook';

export function mutatingWebhooks({ view, random, client, authorizer, metrics }: WebhookOptions): AdmissionPlugin {
  const list = mutatingHooks(view);
  const asking: Asking = { view, random, client, metrics, step: 'admit' };
  return {
    name,
    operations: ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'],
    handles: (attributes) => list.hooks.length > 0 && !isExempt(attributes),
    async admit(attributes, reinvocation) {
      const memory = reinvocation.memoryOf(name);
      memory.begin(attributes.object);
      const versionedAs = (kind: Kind) => versioned(view, attributes, kind);
      for (const [index, hook] of list.hooks.entries()) {
        const kind = await relevantKind({ view, authorizer, metrics, step: 'admit' }, hook, attributes, versionedAs);
        // What was not invoked the first time is not the second, either.
        if (!kind || !memory.isDue(hook.uid)) continue;
        if (await mutate(asking, { hook, index, attributes, kind, reinvocation })) memory.changed();
        if (hook.webhook.reinvocationPolicy === 'IfNeeded') memory.mayRepeat(hook.uid);
      }
      memory.end(attributes.object);
    },
  };
}

interface Mutation {
  hook: Hook<MutatingWebhook>;
  /** Among all hooks. */
  index: number;
  attributes: AdmissionAttributes;
  /** That the webhook is asked about. */
  kind: Kind;
  reinvocation: Reinvocation;
}

/** Whether the webhook has changed the object. @throws StatusError */
async function mutate(asking: Asking, { hook, index, attributes, kind, reinvocation }: Mutation): Promise<boolean> {
  const { webhook, configuration } = hook;
  const { view } = asking;
  const place = `round_${reinvocation.isAgain ? 1 : 0}_index_${index}`;
  const request = await versioned(view, attributes, kind);
  let isChanged = false;
  try {
    await ask(asking, webhook, {
      attributes,
      versioned: request,
      failedOpen: () => attributes.annotate(`failed-open.mutation.webhook.admission.k8s.io/${place}`, webhook.name),
      async use(answer) {
        const patch = patchOf(answer);
        if (patch.length === 0) return;
        const patched = applied(view, { patch, answer, webhook, attributes, kind, object: request.object });
        isChanged = !semanticEqual(request.object, patched);
        const note = stringifyJson({ configuration, webhook: webhook.name, patch, patchType: answer.patchType });
        attributes.annotate(`patch.webhook.admission.k8s.io/${place}`, note, 'Request');
        const { object } = attributes;
        const own = request.object === object ? patched : await converted(view, patched, kind, attributes.kind);
        if (object) replaceObject(object, own);
      },
    });
    return isChanged;
  } finally {
    const note = JSON.stringify({ configuration, webhook: webhook.name, mutated: isChanged });
    attributes.annotate(`mutation.webhook.admission.k8s.io/${place}`, note);
  }
}

/** @throws WebhookCallError for what is no JSON patch */
function patchOf({ patch }: ReviewAnswer): object[] {
  if (!patch) return [];
  try {
    const operations: unknown = parseJson(Buffer.from(patch, 'base64').toString());
    if (Array.isArray(operations)) return operations as object[];
    if (operations === null) return [];
    throw new SyntaxError(`json: cannot unmarshal ${typeof operations} into Go value of type jsonpatch.Patch`);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new WebhookCallError(`received undecodable patch in webhook response: ${error.message}`, 503, { cause: error });
  }
}

interface Application {
  patch: object[];
  answer: ReviewAnswer;
  webhook: MutatingWebhook;
  attributes: AdmissionAttributes;
  kind: Kind;
  object: KubeObject | undefined;
}

/** The object with the patch, as one of its kind and with its defaults. @throws StatusError, WebhookCallError */
function applied(view: ClusterView, { patch, answer, webhook, attributes, kind, object }: Application): KubeObject {
  if (!object) {
    const what = 'attempted to modify the object, which is not supported for this operation';
    throw internalError(`admission webhook ${JSON.stringify(webhook.name)} ${what}`);
  }
  if (answer.patchType !== 'JSONPatch')
    throw new WebhookCallError(`unsupported patch type ${JSON.stringify(answer.patchType)}`, answer.result?.code ?? 400);
  const { objectKind } = attributes;
  const served = objectKind ? undefined : view.resources.ofKind(kind);
  const schema = objectKind ? schemaOf(objectKind.group, objectKind.version, objectKind.kind) : served?.schema;
  try {
    const patched = jsonPatch(structuredClone(object), patch) as KubeObject;
    const result = schema ? decodeObject(patched, { kind: objectKind ?? kind, schema, fieldValidation: 'Ignore' }).object : patched;
    if (served) defaultObject(served.declaration, result);
    return result;
  } catch (error) {
    if (error instanceof StatusError) throw internalError(error.message);
    throw error;
  }
}
