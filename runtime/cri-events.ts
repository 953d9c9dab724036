// The CRI runtime's events as an Observable that reconnects by itself and announces each connection with a resync. containerd
// tells of tasks on its own event service, before its CRI side has caught up: a hint is held back until a look would show it.

import type * as grpc from '@grpc/grpc-js';
import { Observable, type Subscriber } from 'rxjs';
import { backoffMs } from '../base/backoff.ts';
import type { Clock, Timer } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { containerdApi, containerOf, criNamespace, type Envelope, isContainerExit } from './containerd-api.ts';
import type * as cri from './cri-types.ts';
import { GrpcConnection, runtimeError } from './grpc.ts';
import { type ContainerRuntime, RuntimeError, type RuntimeEvent } from './runtime.ts';

export interface CriEventsOptions {
  socket: string;
  clock: Clock;
  log: Log;
  /** Opens CRI's own event stream. */
  criEvents: () => grpc.ClientReadableStream<object>;
  runtime: Pick<ContainerRuntime, 'version' | 'listContainers' | 'listPodSandboxes'>;
}

const backoff = { baseMs: 50, capMs: 3000 };
/** With neither kind of stream, look this often: the same period as a kubelet without events. */
const pollMs = 1000;
/** How long a hint waits for CRI to show what it is about, and how many wait at once; beyond that it is given early. */
const settleMsMax = 2000;
const settlingMax = 256;

type Hint = Exclude<RuntimeEvent, { type: 'resync' }>;

/** One stream per subscriber; it ends only by unsubscribing. */
export function criEvents(options: CriEventsOptions): Observable<RuntimeEvent> {
  return new Observable((subscriber) => {
    const stream = new EventStream(options, subscriber);
    return () => stream.close();
  });
}

class EventStream {
  readonly #options: CriEventsOptions;
  readonly #subscriber: Subscriber<RuntimeEvent>;
  readonly #own: GrpcConnection;
  #call: grpc.ClientReadableStream<object> | undefined;
  #timer: Timer | undefined;
  #failures = 0;
  #isConnected = false;
  #settling = 0;
  #isClosed = false;

  constructor(options: CriEventsOptions, subscriber: Subscriber<RuntimeEvent>) {
    this.#options = options;
    this.#subscriber = subscriber;
    // Apart from the calls' connection: an event must not queue behind a large answer.
    this.#own = new GrpcConnection({ socket: options.socket, clock: options.clock, headers: criNamespace });
    this.#connect();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#call?.cancel();
    this.#own.close();
  }

  #connect(): void {
    // A look that is refused while the runtime starts would make the resync useless.
    const { runtime } = this.#options;
    Promise.all([runtime.version(), runtime.listPodSandboxes({ id: 'none' })]).then(
      ([{ runtimeName }]) => {
        if (this.#isClosed) return;
        if (runtimeName === 'containerd') this.#subscribeToContainerd();
        else this.#subscribeToCri();
      },
      (error) => this.#reconnect(error),
    );
  }

  #subscribeToContainerd(): void {
    const { subscribe } = containerdApi.events;
    const topics = ['/tasks/', '/containers/', markerTopic].map((topic) => `namespace==k8s.io,topic~=|^${topic}|`);
    const call = this.#own.serverStream(subscribe, { filters: topics });
    this.#follow(call, (message) => {
      const envelope = message as Envelope;
      if (envelope.topic === markerTopic) return this.#connected();
      const type = typeOf(envelope);
      if (type) void this.#emitWhenSettled({ type, id: containerOf(envelope) }, call);
    });
    this.#mark(call, 0);
  }

  /** The server does not say when a subscription stands; an event of our own coming back does. */
  #mark(call: grpc.ClientReadableStream<object>, attempt: number): void {
    if (this.#isClosed || call !== this.#call || this.#isConnected) return;
    const event = { typeUrl: 't8s/subscribed', value: Buffer.alloc(0) };
    this.#own.unary(containerdApi.events.publish, { topic: markerTopic, event }, { deadlineMs: 5000, waitForReady: true }).then(
      () => {
        this.#timer = this.#options.clock.setTimer(backoffMs(attempt, { baseMs: 5, capMs: 500 }), () => this.#mark(call, attempt + 1));
      },
      (error) => {
        if (call === this.#call) this.#reconnect(error);
      },
    );
  }

  #subscribeToCri(): void {
    const call = this.#options.criEvents();
    this.#follow(call, (message) => {
      const { containerId, containerEventType, podSandboxStatus } = message as cri.ContainerEventResponse;
      const type = containerEventType && criTypes[containerEventType];
      if (!type || !containerId) return;
      const sandboxId = podSandboxStatus?.id;
      this.#subscriber.next({ type, id: containerId, ...(sandboxId && { podSandboxId: sandboxId }) });
    });
    // Nothing tells when this subscription stands either: look now, and once more when it surely does.
    this.#connected();
    this.#timer = this.#options.clock.setTimer(pollMs, () => this.#subscriber.next({ type: 'resync' }));
  }

  #follow(call: grpc.ClientReadableStream<object>, take: (message: object) => void): void {
    this.#call = call;
    call.on('data', take);
    call.on('error', (error) => {
      if (call === this.#call) this.#reconnect(runtimeError(error));
    });
    call.on('end', () => {
      if (call === this.#call) this.#reconnect(new RuntimeError('Unavailable', 'the runtime ended its event stream'));
    });
  }

  #connected(): void {
    if (this.#isConnected) return;
    this.#isConnected = true;
    this.#failures = 0;
    this.#timer?.cancel();
    this.#subscriber.next({ type: 'resync' });
  }

  #reconnect(error: unknown): void {
    if (this.#isClosed) return;
    this.#call?.cancel();
    this.#call = undefined;
    this.#isConnected = false;
    this.#timer?.cancel();
    const isUnimplemented = error instanceof RuntimeError && error.code === 'Unimplemented';
    if (isUnimplemented) {
      this.#timer = this.#options.clock.setTimer(pollMs, () => this.#poll());
      return;
    }
    this.#options.log.debug('the runtime events stream ended, connecting again', { error: String(error) });
    this.#timer = this.#options.clock.setTimer(backoffMs(this.#failures++, backoff), () => this.#connect());
  }

  #poll(): void {
    this.#subscriber.next({ type: 'resync' });
    this.#timer = this.#options.clock.setTimer(pollMs, () => this.#poll());
  }

  async #emitWhenSettled(hint: Hint, call: grpc.ClientReadableStream<object>): Promise<void> {
    const { clock } = this.#options;
    const untilMs = clock.monotonicMs() + settleMsMax;
    let podSandboxId: string | undefined;
    if (this.#settling < settlingMax) {
      this.#settling++;
      for (let attempt = 0; !this.#isClosed && call === this.#call && clock.monotonicMs() < untilMs; attempt++) {
        const look = await this.#look(hint);
        podSandboxId = look.podSandboxId;
        if (look.isSettled) break;
        await new Promise<void>((resolve) => clock.setTimer(backoffMs(attempt, { baseMs: 1, capMs: 100 }), resolve));
      }
      this.#settling--;
    }
    if (!this.#isClosed) this.#subscriber.next(podSandboxId ? { ...hint, podSandboxId } : hint);
  }

  /** Whether CRI shows what the hint says; when CRI cannot be asked, the next connection's resync covers it. */
  async #look({ type, id }: Hint): Promise<{ isSettled: boolean; podSandboxId?: string }> {
    const { runtime, log } = this.#options;
    try {
      const container = (await runtime.listContainers({ id })).find((found) => found.id === id);
      if (container) {
        const { state, podSandboxId } = container;
        const isSettled =
          type === 'created' ||
          (type === 'started' && state !== 'CONTAINER_CREATED') ||
          (type === 'stopped' && state !== 'CONTAINER_RUNNING');
        return { isSettled, ...(podSandboxId && { podSandboxId }) };
      }
      const sandbox = (await runtime.listPodSandboxes({ id })).find((found) => found.id === id);
      if (!sandbox) return { isSettled: type === 'deleted' || type === 'stopped' };
      const isSettled = type === 'created' || type === 'started' || (type === 'stopped' && sandbox.state === 'SANDBOX_NOTREADY');
      return { isSettled, podSandboxId: id };
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      log.debug('could not look at the container of an event', { id, error: error.message });
      return { isSettled: error.code !== 'Unavailable' };
    }
  }
}

const markerTopic = '/t8s/subscribed';

function typeOf(envelope: Envelope): Hint['type'] | undefined {
  if (isContainerExit(envelope)) return 'stopped';
  if (envelope.topic === '/tasks/start') return 'started';
  if (envelope.topic === '/containers/create') return 'created';
  return envelope.topic === '/containers/delete' ? 'deleted' : undefined;
}

const criTypes: Record<cri.ContainerEventType, Hint['type']> = {
  CONTAINER_CREATED_EVENT: 'created',
  CONTAINER_STARTED_EVENT: 'started',
  CONTAINER_STOPPED_EVENT: 'stopped',
  CONTAINER_DELETED_EVENT: 'deleted',
};
