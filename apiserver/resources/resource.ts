// A resource declaration: everything about one kind in one place. Routes, discovery, OpenAPI, selectors, Table
// columns, the write strategy and watch are all derived from it by the generic registry and handlers.

import type { FieldError } from '../../api/field-error.ts';
import type { Kind } from '../../api/kind.ts';
import type { KubeObject } from '../../api/wire.ts';
import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import type { ResetFields } from '../apply/ignored-fields.ts';
import type { ObjectNode } from '../schema/node.ts';

/** Who asks. */
export interface UserInfo {
  name: string;
  uid?: string;
  groups: string[];
  extra?: Record<string, string[]>;
}

/** What a strategy function may know beside the object. */
export interface WriteContext {
  clock: Clock;
  random: Random;
  user: UserInfo;
  /** Adds a Warning header to the answer. */
  warn(text: string): void;
}

/** metav1.TableColumnDefinition and how its cell is computed. */
export interface Column<T> {
  name: string;
  type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  format?: string;
  description: string;
  /** 0 is always shown; 1 and above only with `-o wide`. */
  priority: number;
  /** Timestamps are turned into ages here (`5m`), against `nowMs`. */
  cell(object: T, nowMs: number): string | number | bigint | boolean | null;
}

/** A method's type, not a function's, so that declarations of different kinds fit in one list. */
type FieldOf<T> = { valueOf_(object: T): string }['valueOf_'];

export interface ResourceDeclaration<T extends KubeObject = KubeObject> {
  kind: Kind<T>;
  /** Field selectors besides metadata.name and metadata.namespace. */
  fields?: Record<string, FieldOf<T>>;
  /** What is said of a selector's field that the kind does not have, where Kubernetes has words of its own for it. */
  unknownField?(field: string): string;
  /** Sets what Kubernetes sets when a client leaves it out. Mutates; idempotent. Runs on every decoded body and on read. */
  defaults?(object: T): void;
  /** Resets what clients may not set (status, generation) and sets what the server does. Mutates `object`. */
  beforeCreate?(object: T, context: WriteContext): void;
  /** Carries over what an update of the main resource may not change (status, generation bookkeeping). Mutates `object`. */
  beforeUpdate?(object: T, old: T, context: WriteContext): void;
  /** Every problem of a new object except those of metadata common to all kinds, which the registry checks. */
  validate(object: T, context: WriteContext): FieldError[];
  /** Problems of a change; the registry calls this instead of `validate`. Default: `validate(object)`. */
  validateUpdate?(object: T, old: T, context: WriteContext): FieldError[];
  /** What the client is warned of when it writes an object that is valid; `old` is absent for a new one. */
  warningsOf?(object: T, old: T | undefined): readonly string[];
  /** Problems of metadata.name; default: a DNS-1123 subdomain. */
  validateName?(name: string, isGenerateName: boolean): string[];
  /** The status subresource; absent: none. */
  status?: {
    /** What a write of it cannot change, as managedFields see it. Default: spec. */
    resets?: ResetFields;
    beforeUpdate?(object: T, old: T, context: WriteContext): void;
    validateUpdate?(object: T, old: T, context: WriteContext): FieldError[];
    warningsOf?(object: T): readonly string[];
  };
  /** autoscaling/v1 Scale at `/scale`; absent: none. */
  scale?: {
    /** Undefined where nothing says so. */
    specReplicas(object: T): number | undefined;
    setReplicas(object: T, replicas: number): void;
    statusReplicas(object: T): number;
    /** The label selector in its string form. */
    selector(object: T): string;
    /**
     * Where the replicas are in each version of the kind, in managedFields' path elements; null: that version has no scale.
     * Default: `spec.replicas` in this one.
     */
    replicasPaths?: Readonly<Record<string, readonly string[] | null>>;
    /** The answers where nothing says how many replicas are wanted. Default: none are. */
    absent?: { onRead(): Error; onWrite(): Error };
  };
  /** Other subresources by name (`binding`, `eviction`, `log`, ...), each served by its own handler. */
  subresources?: Record<string, SubresourceDeclaration<T>>;
  columns: Column<T>[];
  /** Verbs served; default all of create, delete, deletecollection, get, list, patch, update, watch. */
  verbs?: readonly string[];
  /** PUT to a name that does not exist creates it. Default false. */
  allowCreateOnUpdate?: boolean;
  /** PUT without a resourceVersion overwrites. Default true. */
  allowUnconditionalUpdate?: boolean;
  /**
   * Kinds that end gracefully (pods): the grace period in seconds for a delete that asks for `requested`;
   * 0 deletes at once. Absent: always at once.
   */
  gracePeriodSeconds?(object: T, requested: number | undefined): number;
  /** DELETE answers with the deleted object (pods, services, ...) instead of a Status; OpenAPI may not say so. Default false. */
  returnsDeletedObject?: boolean | 'unpublished';
  /** Marks an object whose deletion begins but waits (a namespace's phase). Mutates `object`. */
  beforeDelete?(object: T, context: WriteContext): void;
  /** Keeps an object whose deletion has begun, beside metadata.finalizers (a namespace's spec.finalizers). */
  holdsDeletion?(object: T): boolean;
  /**
   * Where the object lies in the store, when not under its own group and plural (events in two groups, autoscaling in
   * two versions). When the stored form differs, `decode` and `encode` convert from and to it; both may mutate.
   */
  storage?: { group: string; plural: string; decode?(stored: KubeObject): T; encode?(object: T): KubeObject };
  /** Custom resources of several versions, one of which is stored. */
  versions?: StoredVersions;
  /** Whoever uses the kind is warned with this text. */
  deprecation?: string;
  /** Nothing is stored: requests are answered by these handlers in apiserver/handlers/. */
  handler?: string;
  /** Custom resources: items of a list carry their kind and apiVersion. */
  isCustom?: boolean;
  /** Custom resources: the schema as OpenAPI publishes it. */
  openApiSchema?(form: 2 | 3): Record<string, unknown>;
  /**
   * Brings what may have been stored under an older schema to this one; says whether anything changed. Mutates `object`.
   * Absent: what is stored is as it should be.
   */
  upgrade?(object: T): boolean;
}

/** How the versions of a custom resource become one another. */
export interface StoredVersions {
  /** `stable.example.com/v2`: the version that is written. Objects from before it was that one are stored in others. */
  storage: string;
  /** The schema of each, served or not; undefined: there is no such version. */
  schemaOf(apiVersion: string): ObjectNode | undefined;
  /**
   * Makes objects of any other version ones of `apiVersion`, in their order; the metadata they come with stays, but for labels and
   * annotations. Absent: the versions differ in nothing but their name.
   * @throws StatusError when the webhook fails
   */
  convert?(objects: readonly KubeObject[], apiVersion: string): Promise<KubeObject[]>;
}

/** A subresource with a handler of its own; `connect` ones carry a stream to a kubelet. */
export interface SubresourceDeclaration<T extends KubeObject = KubeObject> {
  /** The kind of the body, as discovery shows it (`Binding`, `Eviction`, `PodExecOptions`). */
  kind: string;
  group?: string;
  version?: string;
  verbs: readonly string[];
  /** The name of the handler in apiserver/handlers/ that serves it. */
  handler: string;
  /** What a write of it cannot change, as managedFields see it. Default: what a write of the object itself cannot. */
  resets?: ResetFields;
  /** For subresources that write the object itself (ephemeralcontainers, resize, finalize): what they keep of `old`. Mutates `object`. */
  beforeUpdate?(object: T, old: T, context: WriteContext): void;
  /** Problems of such a write. */
  validateUpdate?(object: T, old: T, context: WriteContext): FieldError[];
  readonly __object?: T;
}

/** Gives a declaration its type. */
export function serve<T extends KubeObject>(kind: Kind<T>, rest: Omit<ResourceDeclaration<T>, 'kind'>): ResourceDeclaration<T> {
  return { kind, ...rest };
}
