// The runtime form of a schema: the nodes that decoding, patches and server-side apply walk. Built-in kinds and custom
// resources become the same nodes. Nodes are immutable and shared; an object's fields are built when first asked for.

/** Of a list: one applier owns it whole, items by value, or items by keys. */
export type ListType = 'atomic' | 'set' | 'map';

export type ScalarType =
  | 'string'
  | 'boolean'
  | 'int32'
  | 'int64'
  | 'double'
  /** base64 in a string. */
  | 'byte'
  | 'quantity'
  /** RFC 3339 in whole seconds, and in microseconds. */
  | 'time'
  | 'microTime'
  | 'intOrString';

/** How strategic merge patch treats a field; absent: replace a list or scalar, merge an object or map. */
export interface PatchStrategy {
  merge?: boolean;
  replace?: boolean;
  retainKeys?: boolean;
  mergeKey?: string;
}

interface NodeCommon {
  /** As Go prints the type in errors: `v1.PodSpec`, `[]v1.Container`, `int32`. */
  readonly goType: string;
  readonly patch?: PatchStrategy | undefined;
  /** A default that counts as a list-map key's value when the key is absent, and is published. */
  readonly default?: unknown;
  /** Custom resources: an explicit null is kept. */
  readonly nullable?: boolean | undefined;
  /** Custom resources: a value of a wrong type passes, for validation to name it. */
  readonly isCustom?: boolean | undefined;
}

export interface ObjectNode extends NodeCommon {
  readonly type: 'object';
  /** The name in OpenAPI; '' for an anonymous object of a custom resource. */
  readonly name: string;
  readonly fields: ReadonlyMap<string, SchemaNode>;
  readonly required: readonly string[];
  /** One applier owns it whole. */
  readonly isAtomic: boolean;
  /** It is there even when nothing is said, as a struct held by value is in Go: nobody adds it, only what it holds. */
  readonly isValue?: boolean | undefined;
  /** Fields that are not in `fields` stay, and strict validation lets them. */
  readonly preservesUnknown?: boolean | undefined;
  /** apiVersion, kind and metadata are those of an object in its own right. */
  readonly isEmbeddedResource?: boolean | undefined;
}

export interface MapNode extends NodeCommon {
  readonly type: 'map';
  readonly value: SchemaNode;
  readonly isAtomic: boolean;
}

export interface ListNode extends NodeCommon {
  readonly type: 'list';
  readonly item: SchemaNode;
  readonly listType: ListType;
  /** Of a map list; else empty. */
  readonly keys: readonly string[];
}

export interface ScalarNode extends NodeCommon {
  readonly type: 'scalar';
  readonly scalar: ScalarType;
}

/** Any JSON; `mustBeObject` for a RawExtension or FieldsV1. Appliers own it whole unless `isGranular`. */
export interface AnyNode extends NodeCommon {
  readonly type: 'any';
  readonly mustBeObject: boolean;
  /** Its shape is taken from the value: objects field by field, lists whole. */
  readonly isGranular: boolean;
}

export type SchemaNode = ObjectNode | MapNode | ListNode | ScalarNode | AnyNode;

/** An object whose fields are built on first use, which is also what lets schemas refer to themselves. */
export class LazyObjectNode implements ObjectNode {
  readonly type = 'object';
  readonly name: string;
  readonly goType: string;
  readonly required: readonly string[];
  readonly isAtomic: boolean;
  readonly isValue: boolean;
  readonly patch: PatchStrategy | undefined;
  #fields: ReadonlyMap<string, SchemaNode> | undefined;
  readonly #build: () => ReadonlyMap<string, SchemaNode>;

  constructor(
    options: Pick<ObjectNode, 'name' | 'goType' | 'required' | 'isAtomic' | 'isValue' | 'patch'> & {
      fields: () => ReadonlyMap<string, SchemaNode>;
    },
  ) {
    this.name = options.name;
    this.goType = options.goType;
    this.required = options.required;
    this.isAtomic = options.isAtomic;
    this.isValue = options.isValue ?? false;
    this.patch = options.patch;
    this.#build = options.fields;
  }

  get fields(): ReadonlyMap<string, SchemaNode> {
    this.#fields ??= this.#build();
    return this.#fields;
  }
}
