// The OpenAPI documents of one set of declarations, each built when first asked for and kept. When the declarations
// change the server makes a new set.

import { createHash } from 'node:crypto';
import { stringifyJson } from '../../api/json.ts';
import { type Kind, listKindOf } from '../../api/kind.ts';
import { mergeOpenApi } from '../aggregation/merge-openapi.ts';
import type { ResourceDeclaration } from '../resources/resource.ts';
import { definitionNameOf, type OpenApiSchema } from './openapi-definitions.ts';
import { openApiV2 } from './openapi-v2.ts';
import { openApiV2Protobuf } from './openapi-v2-protobuf.ts';
import { openApiV3 } from './openapi-v3.ts';
import { groupVersionPath, type Operation, operationsByVersion, operationsOf } from './operations.ts';
import { discoveryOperationsOf, documentOf } from './path-operations.ts';

export interface OpenApiDocument {
  bytes: Uint8Array;
  /** With its quotes, as in the header. */
  etag: string;
}

export interface OpenApiOptions {
  /** As `GET /version` says: `v1.36.0+t8s`. */
  version: string;
  /** What is served beside resources and discovery. */
  pathOperations?: readonly Operation[];
  /**
   * Custom resources: the schema of a kind in the form of an OpenAPI version, with references to built-in definitions
   * under that version's prefix.
   */
  customSchema?(kind: Kind, form: 2 | 3): OpenApiSchema | undefined;
  /**
   * Hashes of what declarations publish, kept from one set of documents to the next: with a thousand custom resources, one more
   * costs as much as the first.
   */
  hashes?: WeakMap<ResourceDeclaration, string>;
  /** Documents of version 2 of other servers, to be part of ours; those of higher priority first. */
  others?(): readonly OpenApiSchema[];
}

/** What one document of version 3 is made from. */
interface DocumentParts {
  operations: Operation[];
  declarations: readonly ResourceDeclaration[];
}

export class OpenApiDocuments {
  readonly #declarations: readonly ResourceDeclaration[];
  readonly #options: OpenApiOptions;
  readonly #hashes: WeakMap<ResourceDeclaration, string>;
  readonly #built = new Map<string, OpenApiDocument>();
  #operations: Operation[] | undefined;
  #byDocument: Map<string, DocumentParts> | undefined;

  constructor(declarations: readonly ResourceDeclaration[], options: OpenApiOptions) {
    this.#declarations = declarations;
    this.#options = options;
    this.#hashes = options.hashes ?? new WeakMap();
  }

  /** `GET /openapi/v2` as application/json. */
  v2Json(): OpenApiDocument {
    return this.#keep('v2.json', () => Buffer.from(stringifyJson(this.#v2())));
  }

  /** `GET /openapi/v2` as application/com.github.proto-openapi.spec.v2.v1.0+protobuf (or `v2@v1.0`). */
  v2Protobuf(): OpenApiDocument {
    return this.#keep('v2.protobuf', () => openApiV2Protobuf(this.#v2()));
  }

  /** `GET /openapi/v3`: where each document lies, under a hash that changes with it. */
  v3Index(): OpenApiDocument {
    return this.#keep('v3', () => {
      const paths = [...this.#documents()].map(([path, parts]) => [
        path,
        { serverRelativeURL: `/openapi/v3/${path}?hash=${this.#hash(parts)}` },
      ]);
      return Buffer.from(JSON.stringify({ paths: Object.fromEntries(paths) }));
    });
  }

  /** `GET /openapi/v3/{path}`; undefined when nothing is served there. `path` is `api/v1`, `apis/apps/v1`, `apis/apps` or `version`. */
  v3(path: string): OpenApiDocument | undefined {
    const parts = this.#documents().get(path);
    if (!parts) return undefined;
    const { operations, declarations } = parts;
    const build = () => Buffer.from(stringifyJson(openApiV3({ operations, custom: this.#custom(declarations, 3) })));
    return this.#keep(`v3/${path}`, build, this.#hash(parts));
  }

  #v2(): OpenApiSchema {
    const own = openApiV2({ operations: this.#all(), custom: this.#custom(this.#declarations, 2), version: this.#options.version });
    return mergeOpenApi(own, this.#options.others?.() ?? []);
  }

  #all(): Operation[] {
    this.#operations ??= [
      ...discoveryOperationsOf(this.#declarations),
      ...operationsOf(this.#declarations),
      ...(this.#options.pathOperations ?? []),
    ];
    return this.#operations;
  }

  #documents(): Map<string, DocumentParts> {
    if (!this.#byDocument) {
      const declarations = Map.groupBy(this.#declarations, ({ kind }) => groupVersionPath(kind.group, kind.version).slice(1));
      const operations = operationsByVersion(this.#declarations);
      for (const operation of [...discoveryOperationsOf(this.#declarations), ...(this.#options.pathOperations ?? [])]) {
        const path = documentOf(operation.path);
        const beside = operations.get(path);
        if (beside) beside.push(operation);
        else operations.set(path, [operation]);
      }
      const sorted = [...operations].sort(([a], [b]) => (a < b ? -1 : 1));
      this.#byDocument = new Map(sorted.map(([path, own]) => [path, { operations: own, declarations: declarations.get(path) ?? [] }]));
    }
    return this.#byDocument;
  }

  #custom(declarations: readonly ResourceDeclaration[], form: 2 | 3): Record<string, OpenApiSchema> {
    const schemas: Record<string, OpenApiSchema> = {};
    for (const { kind } of declarations) {
      const schema = this.#options.customSchema?.(kind, form);
      if (!schema) continue;
      const { group, version } = kind;
      const name = definitionNameOf(group, version, kind.kind);
      schemas[name] = { ...schema, 'x-kubernetes-group-version-kind': [{ group, kind: kind.kind, version }] };
      schemas[definitionNameOf(group, version, listKindOf(kind))] = listSchema(kind, name, form);
    }
    return schemas;
  }

  /** Of what a document is made from, so that the index needs none of the documents. */
  #hash({ operations, declarations }: DocumentParts): string {
    // Declarations say which operations there are; what is served beside them says it itself.
    const named = declarations.length > 0 ? [] : operations.map(({ path, method, operationId }) => [path, method, operationId]);
    const hashes = declarations.map((declaration) => this.#declarationHash(declaration));
    const inputs = stringifyJson([this.#options.version, named, hashes]);
    return createHash('sha512').update(inputs).digest('hex').toUpperCase();
  }

  #declarationHash(declaration: ResourceDeclaration): string {
    let hash = this.#hashes.get(declaration);
    if (hash === undefined) {
      const named = operationsOf([declaration]).map(({ path, method, operationId }) => [path, method, operationId]);
      const inputs = JSON.stringify([named, this.#custom([declaration], 3)]);
      hash = createHash('sha256').update(inputs).digest('hex');
      this.#hashes.set(declaration, hash);
    }
    return hash;
  }

  #keep(key: string, build: () => Uint8Array, hash?: string): OpenApiDocument {
    let document = this.#built.get(key);
    if (!document) {
      const bytes = build();
      document = { bytes, etag: `"${hash ?? createHash('sha512').update(bytes).digest('hex').toUpperCase()}"` };
      this.#built.set(key, document);
    }
    return document;
  }
}

function listSchema(kind: Kind, name: string, form: 2 | 3): OpenApiSchema {
  const prefix = form === 2 ? '#/definitions/' : '#/components/schemas/';
  return {
    description: `${listKindOf(kind)} is a list of ${kind.kind}`,
    type: 'object',
    required: ['items'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { $ref: `${prefix}io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta` },
      items: { type: 'array', items: { $ref: prefix + name } },
    },
    'x-kubernetes-group-version-kind': [{ group: kind.group, kind: listKindOf(kind), version: kind.version }],
  };
}
