// The typed client: one method per verb, over any Transport. Failures are StatusError.

import type { Observable } from 'rxjs';
import type { Kind } from '../api/kind.ts';
import type { Status } from '../api/status.ts';
import type { KubeList, KubeObject, WatchEvent } from '../api/wire.ts';
import type { Transport } from './transport.ts';

export interface ObjectName {
  namespace?: string | undefined;
  name: string;
}

export interface ListQuery {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  resourceVersion?: string;
  resourceVersionMatch?: 'Exact' | 'NotOlderThan';
  limit?: number;
  continue?: string;
  /** Only apiVersion, kind and metadata of each object (PartialObjectMetadata). */
  metadataOnly?: boolean;
}

export interface WatchQuery extends Pick<ListQuery, 'namespace' | 'labelSelector' | 'fieldSelector' | 'resourceVersion' | 'metadataOnly'> {
  allowWatchBookmarks?: boolean;
  timeoutSeconds?: number;
}

export interface WriteQuery {
  dryRun?: boolean;
  fieldManager?: string;
  subresource?: string;
}

export interface DeleteQuery {
  gracePeriodSeconds?: number;
  propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  preconditions?: { uid?: string; resourceVersion?: string };
  dryRun?: boolean;
}

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

export interface Client {
  readonly transport: Transport;
  /** @throws StatusError NotFound */
  get<T extends KubeObject>(kind: Kind<T>, at: ObjectName, subresource?: string): Promise<T>;
  list<T extends KubeObject>(kind: Kind<T>, query?: ListQuery): Promise<KubeList<T>>;
  /** Into `object.metadata.namespace`. With `subresource` (binding, eviction, token): POST to that of `at`. */
  create<T extends KubeObject>(kind: Kind<T>, object: T, query?: WriteQuery): Promise<T>;
  createSubresource<B extends KubeObject>(kind: Kind, at: ObjectName, subresource: string, body: B): Promise<B | Status>;
  /** @throws StatusError Conflict when metadata.resourceVersion is stale */
  update<T extends KubeObject>(kind: Kind<T>, object: T, query?: WriteQuery): Promise<T>;
  /** `update` of the status subresource. */
  updateStatus<T extends KubeObject>(kind: Kind<T>, object: T): Promise<T>;
  patch<T extends KubeObject>(
    kind: Kind<T>,
    at: ObjectName,
    type: PatchType,
    patch: unknown,
    query?: WriteQuery & { force?: boolean },
  ): Promise<T>;
  delete<T extends KubeObject>(kind: Kind<T>, at: ObjectName, query?: DeleteQuery): Promise<T | Status>;
  deleteCollection<T extends KubeObject>(kind: Kind<T>, query?: ListQuery & DeleteQuery): Promise<KubeList<T> | Status>;
  /** One watch request; completes when the server ends it, errors with StatusError on an ERROR frame or a refusal. */
  watch<T extends KubeObject>(kind: Kind<T>, query?: WatchQuery): Observable<WatchEvent<T>>;
}
