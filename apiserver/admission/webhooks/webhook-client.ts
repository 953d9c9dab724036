// Asking a webhook: a review posted over HTTPS, within its time, with an answer of bounded size. Connections are kept and used
// again; what goes wrong is said in the words of Kubernetes' own client, which are what its users look for.

import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { WebhookClientConfig } from '../../../api/apiextensions.ts';
import { parseJson, stringifyJson } from '../../../api/json.ts';
import type { Clock } from '../../../base/clock.ts';
import type { Random } from '../../../base/random.ts';
import type { KubeconfigUser } from '../../../client/kubeconfig.ts';
import { hostPort, resolveService, serverNameOf } from '../../service-resolver.ts';
import type { ClusterView } from '../cluster-view.ts';
import { connectionProblem } from './connection-problem.ts';
import type { WebhookCredentials } from './credentials.ts';
import { serverProblem } from './server-problem.ts';
import { WebhookCallError } from './webhook-call-error.ts';

export interface WebhookClientOptions {
  view: ClusterView;
  clock: Clock;
  random: Random;
  /** Who the server is to webhooks. Default: nobody. */
  credentials?: WebhookCredentials | undefined;
}

const answerBytesMax = 3 << 20;
/** As many certificate authorities and services are remembered with their connections. */
const agentsMax = 200;
/** Idle connections to one address. */
const freeSocketsMax = 25;

interface Destination {
  /** As users know it: with a service's own name. */
  url: URL;
  host: string;
  port: number;
  servername: string | undefined;
}

export class WebhookClient {
  readonly #options: WebhookClientOptions;
  /** By what certificates are checked with; the least recently used first. */
  readonly #agents = new Map<string, Agent>();

  constructor(options: WebhookClientOptions) {
    this.#options = options;
  }

  /** Posts a review of any kind; answers with the JSON that comes back. @throws WebhookCallError */
  async post(
    { clientConfig, timeoutSeconds = 10 }: { clientConfig: WebhookClientConfig; timeoutSeconds?: number },
    review: object,
  ): Promise<unknown> {
    const body = Buffer.from(stringifyJson(review));
    const { url, label } = addressOf(clientConfig, timeoutSeconds);
    const abort = new AbortController();
    const timer = this.#options.clock.setTimer(timeoutSeconds * 1000, () => abort.abort());
    try {
      const destination = await this.#destinationOf(clientConfig, url);
      const user = this.#options.credentials?.(url);
      const agent = this.#agentFor(clientConfig.caBundle ?? '', destination.servername, user);
      const authorization = await authorizationOf(user);
      const response = await this.#exchange(destination, { agent, body, signal: abort.signal, authorization });
      const { statusCode = 0 } = response;
      const text = await readAnswer(response);
      if (statusCode < 200 || statusCode > 206) throw serverProblem(statusCode, text, response.headers['content-type']);
      return parsed(text, statusCode, response.headers['content-type'] ?? '');
    } catch (error) {
      if (error instanceof WebhookCallError) throw error;
      const why = abort.signal.aborted ? 'context deadline exceeded' : connectionProblem(error, url.hostname);
      throw new WebhookCallError(`Post "${label}": ${why}`, 503, { cause: error });
    } finally {
      timer.cancel();
    }
  }

  /** A service is reached at one of its ready endpoints, under the name that its certificate is for. */
  async #destinationOf({ service }: WebhookClientConfig, url: URL): Promise<Destination> {
    if (!service) return { url, host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 443), servername: undefined };
    const { view, random } = this.#options;
    const { host, port } = await resolveService(view, random, service);
    return { url, host, port, servername: serverNameOf(service) };
  }

  #agentFor(caBundle: string, servername: string | undefined, user: KubeconfigUser | undefined): Agent {
    const key = `${servername ?? ''} ${caBundle} ${user?.name ?? ''}`;
    const agent =
      this.#agents.get(key) ??
      new Agent({
        keepAlive: true,
        maxFreeSockets: freeSocketsMax,
        ...(caBundle ? { ca: Buffer.from(caBundle, 'base64') } : {}),
        ...(servername ? { servername } : {}),
        ...(user?.cert ? { cert: user.cert, key: user.key } : {}),
      });
    this.#agents.delete(key);
    this.#agents.set(key, agent);
    const [oldest] = this.#agents.keys();
    if (this.#agents.size > agentsMax && oldest !== undefined) this.#agents.delete(oldest);
    return agent;
  }

  async #exchange(
    destination: Destination,
    { agent, body, signal, authorization }: { agent: Agent; body: Buffer; signal: AbortSignal; authorization: string | undefined },
  ): Promise<IncomingMessage> {
    for (;;) {
      let asked: ClientRequest | undefined;
      try {
        return await new Promise<IncomingMessage>((resolve, reject) => {
          const { url, host, port } = destination;
          const headers = {
            host: url.host,
            'content-type': 'application/json',
            accept: 'application/json, */*',
            'content-length': body.length,
            ...(authorization ? { authorization } : {}),
          };
          asked = request({ method: 'POST', host, port, path: url.pathname + url.search, headers, agent, signal }, resolve);
          asked.on('error', reject);
          asked.end(body);
        });
      } catch (error) {
        // The other side may end an idle connection just as it is used again; it has not seen the request then.
        if (!asked?.reusedSocket || signal.aborted || !isClosed(error)) throw error;
      }
    }
  }
}

async function authorizationOf(user: KubeconfigUser | undefined): Promise<string | undefined> {
  const token = typeof user?.token === 'function' ? await user.token() : user?.token;
  if (token) return `Bearer ${token}`;
  return user?.basic && `Basic ${Buffer.from(`${user.basic.username}:${user.basic.password}`).toString('base64')}`;
}

const isClosed = (error: unknown) => error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');

/** Where the review goes, as its users know the place. @throws WebhookCallError */
function addressOf({ url, service }: WebhookClientConfig, timeoutSeconds: number): { label: string; url: URL } {
  if (!service && !url) throw new WebhookCallError('webhook configuration must have either service or URL', 500);
  const base = service ? `https://${hostPort({ host: serverNameOf(service), port: service.port ?? 443 })}${service.path ?? '/'}` : url;
  const label = `${base?.replace(/[?#].*$/, '')}?timeout=${timeoutSeconds}s`;
  return { label, url: new URL(label) };
}

async function readAnswer(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > answerBytesMax) {
      (response.socket as TLSSocket).destroy();
      throw new WebhookCallError(`the response of the webhook is larger than ${answerBytesMax} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parsed(text: string, statusCode: number, contentType: string): unknown {
  if (text === '') throw new WebhookCallError(`0-length response with status code: ${statusCode} and content type: ${contentType}`);
  try {
    return parseJson(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new WebhookCallError(`couldn't get version/kind; json parse error: ${why}`, 503, { cause: error });
  }
}
