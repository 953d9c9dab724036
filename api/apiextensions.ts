// The kinds of apiextensions.k8s.io/v1, with their wire types. The schema of a custom resource is spelled out here, since
// client-node's model of it changes the names of its extensions.

import type { Condition } from './conditions.ts';
import { defineKind } from './kind.ts';
import type { KubeObject, ObjectMeta } from './wire.ts';

/** JSONSchemaProps: what a structural schema may say. */
export interface JsonSchema {
  description?: string;
  title?: string;
  type?: string;
  format?: string;
  default?: unknown;
  enum?: unknown[];
  pattern?: string;
  nullable?: boolean;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: boolean;
  exclusiveMaximum?: boolean;
  multipleOf?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  minProperties?: number;
  maxProperties?: number;
  required?: string[];
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  items?: JsonSchema;
  allOf?: JsonSchema[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  not?: JsonSchema;
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-embedded-resource'?: boolean;
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-list-type'?: string;
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-map-type'?: string;
  'x-kubernetes-validations'?: ValidationRule[];
}

/** A CEL rule. */
export interface ValidationRule {
  rule: string;
  message?: string;
  messageExpression?: string;
  reason?: string;
  fieldPath?: string;
  optionalOldSelf?: boolean;
}

export interface CustomResourceNames {
  plural: string;
  singular?: string;
  kind: string;
  listKind?: string;
  shortNames?: string[];
  categories?: string[];
}

export interface PrinterColumn {
  name: string;
  type: string;
  format?: string;
  description?: string;
  priority?: number;
  jsonPath: string;
}

export interface CustomResourceVersion {
  name: string;
  served: boolean;
  storage: boolean;
  deprecated?: boolean;
  deprecationWarning?: string;
  schema?: { openAPIV3Schema?: JsonSchema };
  subresources?: {
    status?: object;
    scale?: { specReplicasPath: string; statusReplicasPath: string; labelSelectorPath?: string };
  };
  additionalPrinterColumns?: PrinterColumn[];
  selectableFields?: { jsonPath: string }[];
}

export interface WebhookClientConfig {
  url?: string;
  service?: { namespace: string; name: string; path?: string; port?: number };
  /** base64 of PEM. */
  caBundle?: string;
}

export interface CustomResourceDefinition extends KubeObject {
  metadata?: ObjectMeta;
  spec: {
    group: string;
    names: CustomResourceNames;
    scope: string;
    versions: CustomResourceVersion[];
    preserveUnknownFields?: boolean;
    conversion?: { strategy: string; webhook?: { clientConfig?: WebhookClientConfig; conversionReviewVersions?: string[] } };
  };
  status?: {
    conditions?: Condition[];
    acceptedNames?: CustomResourceNames;
    storedVersions?: string[];
  };
}

export const customResourceDefinitions = defineKind<CustomResourceDefinition>({
  group: 'apiextensions.k8s.io',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  namespaced: false,
});

/** Held by a definition that is being deleted until none of its objects are left. */
export const customResourceCleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io';
