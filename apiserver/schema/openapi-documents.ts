// The OpenAPI documents of one set of declarations, each built when first asked for and kept. When the declarations
// change the server makes a new set.

import { createHash } from 'node:crypto';
import type { Kind } from '../../api/kind.ts';
import type { ResourceDeclaration } from '../resources/resource.ts';
import { definitionNameOf, type OpenApiSchema } from './openapi-definitions.ts';
import { openApiV2 } from './openapi-v2.ts';
import { openApiV2Protobuf } from './openapi-v2-protobuf.ts';
import { openApiV3 } from './openapi-v3.ts';
import { discoveryOperationsOf, groupVersionPath, type Operation, operationsOf } from './operations.ts';

export interface OpenApiDocument {
  bytes: Uint8Array;
  /** With its quotes, as in the header. */
  etag: string;
}

export interface OpenApiOptions {
  /** As `GET /version` says: `v1.36.0+t8s`. */
  version: string;
  /**
   * Custom resources: the schema of a kind in the form of an OpenAPI version, with references to built-in definitions
   * under that version's prefix.
   */
  customSchema?(kind: Kind, form: 2 | 3): OpenApiSchema | undefined;
}

export class OpenApiDocuments {
  readonly #declarations: readonly ResourceDeclaration[];
  readonly #options: OpenApiOptions;
  readonly #built = new Map<string, OpenApiDocument>();
  #operations: Operation[] | undefined;

  constructor(declarations: readonly ResourceDeclaration[], options: OpenApiOptions) {
    this.#declarations = declarations;
    this.#options = options;
  }

  /** `GET /openapi/v2` as application/json. */
  v2Json(): OpenApiDocument {
    return this.#keep('v2.json', () => Buffer.from(JSON.stringify(this.#v2())));
  }

  /** `GET /openapi/v2` as application/com.github.proto-openapi.spec.v2.v1.0+protobuf (or `v2@v1.0`). */
  v2Protobuf(): OpenApiDocument {
    return this.#keep('v2.protobuf', () => openApiV2Protobuf(this.#v2()));
  }

  /** `GET /openapi/v3`: where the document of each group and version lies, under a hash that changes with it. */
  v3Index(): OpenApiDocument {
    return this.#keep('v3', () => {
      const paths = [...this.#groupVersions()].map(([path, declarations]) => [
        path,
        { serverRelativeURL: `/openapi/v3/${path}?hash=${this.#hash(declarations)}` },
      ]);
      return Buffer.from(JSON.stringify({ paths: Object.fromEntries(paths) }));
    });
  }

  /** `GET /openapi/v3/{path}`; undefined when nothing is served there. `path` is `api/v1` or `apis/apps/v1`. */
  v3(path: string): OpenApiDocument | undefined {
    const declarations = this.#groupVersions().get(path);
    if (!declarations) return undefined;
    const build = () =>
      Buffer.from(JSON.stringify(openApiV3({ operations: operationsOf(declarations), custom: this.#custom(declarations, 3) })));
    return this.#keep(`v3/${path}`, build, this.#hash(declarations));
  }

  #v2(): OpenApiSchema {
    this.#operations ??= [...discoveryOperationsOf(this.#declarations), ...operationsOf(this.#declarations)];
    return openApiV2({ operations: this.#operations, custom: this.#custom(this.#declarations, 2), version: this.#options.version });
  }

  /** Declarations by the path of their document. */
  #groupVersions(): Map<string, ResourceDeclaration[]> {
    return Map.groupBy(this.#declarations, ({ kind }) => groupVersionPath(kind.group, kind.version).slice(1));
  }

  #custom(declarations: readonly ResourceDeclaration[], form: 2 | 3): Record<string, OpenApiSchema> {
    const schemas: Record<string, OpenApiSchema> = {};
    for (const { kind } of declarations) {
      const schema = this.#options.customSchema?.(kind, form);
      if (!schema) continue;
      const { group, version } = kind;
      const name = definitionNameOf(group, version, kind.kind);
      schemas[name] = { ...schema, 'x-kubernetes-group-version-kind': [{ group, kind: kind.kind, version }] };
      schemas[`${name}List`] = listSchema(kind, name, form);
    }
    return schemas;
  }

  /** Of what a document is made from, so that the index needs none of the documents. */
  #hash(declarations: readonly ResourceDeclaration[]): string {
    const operations = operationsOf(declarations).map(({ path, method, operationId }) => [path, method, operationId]);
    const inputs = JSON.stringify([this.#options.version, operations, this.#custom(declarations, 3)]);
    return createHash('sha512').update(inputs).digest('hex').toUpperCase();
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
    description: `${kind.kind}List is a list of ${kind.kind}`,
    type: 'object',
    required: ['items'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { $ref: `${prefix}io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta` },
      items: { type: 'array', items: { $ref: prefix + name } },
    },
    'x-kubernetes-group-version-kind': [{ group: kind.group, kind: `${kind.kind}List`, version: kind.version }],
  };
}
