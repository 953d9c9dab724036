// Admission webhooks: which are asked about a write, what becomes of their answers and of their silence
// (admission plug-ins MutatingAdmissionWebhook and ValidatingAdmissionWebhook).

import { isDeepStrictEqual } from 'node:util';
import {
  type MutatingWebhook,
  mutatingWebhookConfigurations,
  type ValidatingWebhook,
  validatingWebhookConfigurations,
} from '../../api/admissionregistration.ts';
import { jsonPatch } from '../../api/patch/json-patch.ts';
import { badRequestError, forbiddenError, internalError, StatusError } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import type { Random } from '../../base/random.ts';
import type { Authorizer } from '../authz/authorizer.ts';
import { CelError } from '../cel/environment.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './admission.ts';
import type { ClusterView } from './cluster-view.ts';
import { ruleMatches, selectorsMatch } from './matching.ts';
import { Evaluation } from './policies/evaluation.ts';
import { conditionsHold } from './policies/match-conditions.ts';
import { replaceObject } from './replace-object.ts';
import { callWebhook, type ReviewResponse } from './webhook-call.ts';

type Webhook = MutatingWebhook | ValidatingWebhook;

const operations = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'] as const;
/** What decides about admission must stay repairable when admission is broken. */
const isExempt = ({ kind }: AdmissionAttributes) => kind.group === 'admissionregistration.k8s.io';

export function mutatingWebhooks(view: ClusterView, random: Random, authorizer?: Authorizer): AdmissionPlugin {
  return {
    name: 'MutatingAdmissionWebhook',
    operations,
    handles: (attributes) => view.list(mutatingWebhookConfigurations).length > 0 && !isExempt(attributes),
    async admit(attributes, reinvocation) {
      const { object } = attributes;
      const memory = reinvocation.memoryOf('MutatingAdmissionWebhook');
      memory.begin(object);
      for (const { metadata, webhooks } of view.list(mutatingWebhookConfigurations)) {
        for (const webhook of webhooks ?? []) {
          const name = `${metadata?.name}/${webhook.name}`;
          if (!memory.isDue(name) || !(await concerns(view, webhook, attributes, authorizer))) continue;
          const before = object && structuredClone(object);
          await mutate(view, random, webhook, attributes);
          if (!isDeepStrictEqual(before, object)) memory.changed();
          if (webhook.reinvocationPolicy === 'IfNeeded') memory.mayRepeat(name);
        }
      }
      memory.end(object);
    },
  };
}

export function validatingWebhooks(view: ClusterView, random: Random, authorizer?: Authorizer): AdmissionPlugin {
  return {
    name: 'ValidatingAdmissionWebhook',
    operations,
    handles: (attributes) => view.list(validatingWebhookConfigurations).length > 0 && !isExempt(attributes),
    async validate(attributes) {
      const all = view.list(validatingWebhookConfigurations).flatMap(({ webhooks }) => webhooks ?? []);
      const asked: Webhook[] = [];
      for (const webhook of all) if (await concerns(view, webhook, attributes, authorizer)) asked.push(webhook);
      const outcomes = await Promise.allSettled(asked.map((webhook) => ask(view, random, webhook, attributes)));
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    },
  };
}

/** @throws StatusError when a match condition cannot be evaluated and the webhook's policy is Fail */
async function concerns(view: ClusterView, webhook: Webhook, attributes: AdmissionAttributes, authorizer?: Authorizer): Promise<boolean> {
  if (!(webhook.rules ?? []).some((rule) => ruleMatches(rule, attributes))) return false;
  if (!(await selectorsMatch(view, webhook, attributes))) return false;
  if (!webhook.matchConditions?.length) return true;
  try {
    return await conditionsHold(webhook.matchConditions, await Evaluation.of(attributes, view, authorizer));
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    if (webhook.failurePolicy === 'Ignore') return false;
    throw forbiddenError(attributes.kind, attributes.name, error.message);
  }
}

async function mutate(view: ClusterView, random: Random, webhook: MutatingWebhook, attributes: AdmissionAttributes): Promise<void> {
  const answer = await ask(view, random, webhook, attributes);
  if (!answer?.patch) return;
  const { object } = attributes;
  if (answer.patchType !== 'JSONPatch' || !object) throw badRequestError(`admission webhook "${webhook.name}" returned an unusable patch`);
  let patched: KubeObject;
  try {
    patched = jsonPatch(object, JSON.parse(Buffer.from(answer.patch, 'base64').toString())) as KubeObject;
  } catch (error) {
    throw internalError(error instanceof Error ? error.message : String(error));
  }
  replaceObject(object, patched);
  view.resources.ofKind(attributes.kind)?.declaration.defaults?.(object);
}

/** @throws StatusError when the webhook denies, or fails and its policy is Fail */
async function ask(
  view: ClusterView,
  random: Random,
  webhook: Webhook,
  attributes: AdmissionAttributes,
): Promise<ReviewResponse | undefined> {
  const uid = random.uuid();
  let answer: ReviewResponse;
  try {
    answer = await callWebhook(view, random, webhook, reviewOf(uid, attributes));
    if (answer.uid !== uid) throw new Error(`expected response.uid="${uid}", got "${answer.uid ?? ''}"`);
  } catch (error) {
    if (webhook.failurePolicy === 'Ignore') return undefined;
    throw internalError(
      `failed calling webhook "${webhook.name}": failed to call webhook: ${error instanceof Error ? error.message : error}`,
    );
  }
  for (const warning of answer.warnings ?? []) attributes.warn(warning);
  if (answer.allowed) return answer;
  const head = `admission webhook "${webhook.name}" denied the request`;
  const { message, reason, code = 403 } = answer.status ?? {};
  const text = message ? `${head}: ${message}` : reason ? `${head}: ${reason}` : `${head} without explanation`;
  throw StatusError.fromStatus({ reason: code === 403 ? 'Forbidden' : '', message: text, code: code < 400 ? 403 : code });
}

function reviewOf(uid: string, attributes: AdmissionAttributes): object {
  const { kind, subresource, namespace, name, operation, user, object, old, dryRun, options } = attributes;
  const { group, version } = kind;
  const [kindName, resource] = [
    { group, version, kind: kind.kind },
    { group, version, resource: kind.plural },
  ];
  const sub = subresource ? { subResource: subresource, requestSubResource: subresource } : {};
  const { name: username, ...rest } = user;
  return {
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      uid,
      kind: kindName,
      resource,
      requestKind: kindName,
      requestResource: resource,
      ...sub,
      ...(name ? { name } : {}),
      ...(namespace ? { namespace } : {}),
      operation,
      userInfo: { username, ...rest },
      object: object ?? null,
      oldObject: old ?? null,
      dryRun,
      options: options ?? null,
    },
  };
}
