// One question to one webhook, from whether it may be asked at all to what its answer, or its silence, means for the request.

import { badRequestError, internalError, type Status, StatusError } from '../../../api/status.ts';
import type { Random } from '../../../base/random.ts';
import type { AdmissionAttributes } from '../admission.ts';
import type { ClusterView } from '../cluster-view.ts';
import { answerOf, checkReview, type ReviewAnswer, reviewOf, reviewVersionOf, type VersionedRequest } from './admission-review.ts';
import type { Webhook } from './hooks.ts';
import { WebhookCallError } from './webhook-call-error.ts';
import type { WebhookClient } from './webhook-client.ts';
import type { WebhookMetrics, WebhookStep } from './webhook-metrics.ts';

export interface Asking {
  view: ClusterView;
  random: Random;
  client: WebhookClient;
  metrics: WebhookMetrics | undefined;
  step: WebhookStep;
}

/** A denial: the webhook's own words. */
class Denial extends Error {
  readonly status: StatusError;
  constructor(status: StatusError) {
    super(status.message);
    this.status = status;
  }
}

/**
 * What `use` makes of the webhook's consent; undefined when it could not be had and the webhook may be ignored.
 * @throws StatusError when the webhook denies, or fails and may not be ignored
 */
export async function ask<R>(
  asking: Asking,
  webhook: Webhook,
  request: { attributes: AdmissionAttributes; versioned: VersionedRequest; use(answer: ReviewAnswer): Promise<R> | R; failedOpen(): void },
): Promise<R | undefined> {
  const { view, metrics, step } = asking;
  const { attributes, failedOpen } = request;
  const clock = view.measures?.clock;
  const startMs = clock?.monotonicMs() ?? 0;
  const mayBeIgnored = webhook.failurePolicy === 'Ignore';
  const call = { name: webhook.name, type: step, operation: attributes.operation };
  const done = (code: number, rejection?: 'no_error' | 'calling_webhook_error' | 'apiserver_internal_error') =>
    metrics?.called({ ...call, seconds: ((clock?.monotonicMs() ?? 0) - startMs) / 1000, code, rejection });
  try {
    const result = await request.use(await consentOf(asking, webhook, request));
    done(200);
    return result;
  } catch (error) {
    if (error instanceof Denial) {
      done(error.status.code, 'no_error');
      throw error.status;
    }
    if (!(error instanceof WebhookCallError)) {
      done(0, 'apiserver_internal_error');
      throw error;
    }
    done(error.code, mayBeIgnored ? undefined : 'calling_webhook_error');
    if (!mayBeIgnored) throw internalError(`failed calling webhook ${JSON.stringify(webhook.name)}: ${error.message}`);
    metrics?.failedOpen(webhook.name, step);
    failedOpen();
    return undefined;
  }
}

/** @throws WebhookCallError, Denial, StatusError */
async function consentOf(
  { random, client, step }: Asking,
  webhook: Webhook,
  { attributes, versioned }: { attributes: AdmissionAttributes; versioned: VersionedRequest },
): Promise<ReviewAnswer> {
  if (attributes.dryRun && webhook.sideEffects !== 'None' && webhook.sideEffects !== 'NoneOnDryRun')
    throw badRequestError(`admission webhook ${JSON.stringify(webhook.name)} does not support dry run`);
  const version = reviewVersionOf(webhook.admissionReviewVersions);
  if (!version) {
    const why = 'webhook does not accept known AdmissionReview versions (v1, v1beta1)';
    throw new WebhookCallError(`could not create admission objects: ${why}`, 400);
  }
  const uid = random.uuid();
  const review = reviewOf(version, uid, attributes, versioned);
  const answer = await inCase('failed to call webhook', async () => {
    const received = await client.post(webhook, review);
    checkReview(received, version);
    return received;
  });
  const response = await inCase('received invalid webhook response', () =>
    answerOf(answer, { uid, version, isMutating: step === 'admit' }),
  );
  for (const [key, value] of Object.entries(response.auditAnnotations)) attributes.annotate(`${webhook.name}/${key}`, value);
  for (const warning of response.warnings) attributes.warn(warning);
  if (!response.allowed) throw new Denial(denialOf(webhook.name, response.result));
  return response;
}

/** Says with a failure what was being done. */
async function inCase<R>(doing: string, act: () => Promise<R> | R): Promise<R> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new WebhookCallError(`${doing}: ${error.message}`, error instanceof WebhookCallError ? error.code : 503, { cause: error });
  }
}

/** The status that the webhook gives, as far as it is one of a failure. */
function denialOf(name: string, result: Partial<Status> = {}): StatusError {
  const denied = `admission webhook ${JSON.stringify(name)} denied the request`;
  const why = result.message || result.reason;
  const code = typeof result.code === 'number' && result.code >= 400 ? result.code : 400;
  return StatusError.fromStatus({ ...result, message: why ? `${denied}: ${why}` : `${denied} without explanation`, code });
}
