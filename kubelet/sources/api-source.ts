// Pods that the API says are this node's.

import type { Subscription } from 'rxjs';
import { type Pod, pods } from '../../api/core.ts';
import type { Cache, CacheSet } from '../../client/cache.ts';
import { mirrorAnnotation } from './static-source.ts';

export interface PodSink {
  update(pod: Pod): void;
  remove(uid: string): void;
}

export interface ApiSource {
  cache: Cache<Pod>;
  /** After the first complete list. */
  synced(): Promise<void>;
  /** Begins to tell `sink`: everything there is, then every change. */
  start(sink: PodSink): void;
  close(): void;
}

export function createApiSource(caches: CacheSet, nodeName: string, onMirror: (pod: Pod, isGone: boolean) => void): ApiSource {
  const cache = caches.of(pods, { fieldSelector: `spec.nodeName=${nodeName}` });
  let subscription: Subscription | undefined;
  const isMirror = (pod: Pod) => pod.metadata?.annotations?.[mirrorAnnotation] !== undefined;
  return {
    cache,
    synced: () => cache.synced(),
    start(sink) {
      const put = (pod: Pod) => (isMirror(pod) ? onMirror(pod, false) : sink.update(pod));
      const drop = (pod: Pod) => (isMirror(pod) ? onMirror(pod, true) : sink.remove(pod.metadata?.uid ?? ''));
      subscription = cache.changes.subscribe(({ before, after }) => {
        // A new pod may have taken the name of an old one between two looks.
        if (before && before.metadata?.uid !== after?.metadata?.uid) drop(before);
        if (after) put(after);
      });
      for (const pod of cache.list()) put(pod);
    },
    close: () => subscription?.unsubscribe(),
  };
}
