// One question to one webhook: an AdmissionReview over HTTPS, within its time, with an answer of bounded size.

import { request } from 'node:https';
import type { MutatingWebhook, ValidatingWebhook } from '../../api/admissionregistration.ts';
import type { Random } from '../../base/random.ts';
import { hostPort, resolveService, serverNameOf } from '../service-resolver.ts';
import type { ClusterView } from './cluster-view.ts';

export interface ReviewResponse {
  uid?: string;
  allowed?: boolean;
  status?: { message?: string; reason?: string; code?: number };
  patch?: string;
  patchType?: string;
  warnings?: string[];
}

const answerBytesMax = 3 << 20;

/** @throws Error when there is no answer, or none that can be read */
export async function callWebhook(
  view: ClusterView,
  random: Random,
  webhook: MutatingWebhook | ValidatingWebhook,
  review: object,
): Promise<ReviewResponse> {
  const answer = (await postReview(view, random, webhook, review)) as { response?: ReviewResponse };
  if (!answer.response) throw new Error('Webhook response was absent');
  return answer.response;
}

/** Sends a review of any kind; answers with the one that comes back. @throws Error */
export async function postReview(
  view: ClusterView,
  random: Random,
  webhook: Pick<MutatingWebhook, 'clientConfig' | 'timeoutSeconds'>,
  review: object,
): Promise<unknown> {
  const { clientConfig, timeoutSeconds = 10 } = webhook;
  const { url, servername } = await addressOf(view, random, clientConfig, timeoutSeconds);
  const body = Buffer.from(JSON.stringify(review));
  const ca = clientConfig.caBundle ? Buffer.from(clientConfig.caBundle, 'base64') : undefined;
  const text = await new Promise<string>((resolve, reject) => {
    const asked = request(
      url,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json', 'content-length': body.length },
        signal: AbortSignal.timeout(timeoutSeconds * 1000),
        ...(ca ? { ca } : {}),
        ...(servername ? { servername } : {}),
      },
      (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > answerBytesMax) asked.destroy(new Error('the answer is too large'));
          else chunks.push(chunk);
        });
        response.on('error', reject);
        response.on('end', () => {
          const answer = Buffer.concat(chunks).toString();
          if (response.statusCode === 200) resolve(answer);
          else reject(new Error(`the server responded with status code ${response.statusCode}`));
        });
      },
    );
    asked.on('error', (error) => reject(error.name === 'AbortError' ? new Error('context deadline exceeded') : error));
    asked.end(body);
  });
  return JSON.parse(text) as unknown;
}

/** A service is reached at one of its ready endpoints, under the name that its certificate is for. */
async function addressOf(view: ClusterView, random: Random, { url, service }: MutatingWebhook['clientConfig'], timeoutSeconds: number) {
  const withTimeout = (base: string) => {
    const full = new URL(base);
    full.searchParams.set('timeout', `${timeoutSeconds}s`);
    return full;
  };
  if (!service) return { url: withTimeout(url ?? ''), servername: undefined };
  const address = await resolveService(view, random, service);
  return { url: withTimeout(`https://${hostPort(address)}${service.path ?? '/'}`), servername: serverNameOf(service) };
}
