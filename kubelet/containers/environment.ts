// A container's environment: envFrom, literals with expansion, references to fields, resources, config maps and
// secrets, and the variables of services underneath all of them.

import type { ConfigMap, Container, Pod, Secret, Service } from '../../api/core.ts';
import { configError } from './config-error.ts';
import { expand } from './expansion.ts';
import { fieldValue, type PodFacts, resourceFieldValue } from './field-ref.ts';
import { serviceEnvironment } from './service-env.ts';

/** Objects a pod refers to, from its own namespace; undefined: not found. */
export interface ReferencedObjects {
  configMap(namespace: string, name: string): Promise<ConfigMap | undefined>;
  secret(namespace: string, name: string): Promise<Secret | undefined>;
}

export interface EnvironmentInput {
  pod: Pod;
  container: Container;
  facts: PodFacts;
  objects: ReferencedObjects;
  services: readonly Service[];
}

/** @throws StartFailure CreateContainerConfigError, in Kubernetes' words */
export async function environmentOf(input: EnvironmentInput): Promise<Map<string, string>> {
  const { pod, container } = input;
  const namespace = pod.metadata?.namespace ?? 'default';
  const links = serviceEnvironment(input.services, namespace, pod.spec?.enableServiceLinks !== false);
  const result = new Map<string, string>();
  for (const source of container.envFrom ?? []) await addFrom(result, source, namespace, input);
  for (const variable of container.env ?? []) {
    const value = variable.valueFrom
      ? await referencedValue(variable.valueFrom, namespace, input)
      : expand(variable.value ?? '', (name) => result.get(name) ?? links.get(name));
    if (value !== undefined) result.set(variable.name, value);
  }
  for (const [name, value] of links) if (!result.has(name)) result.set(name, value);
  return result;
}

type EnvFrom = NonNullable<Container['envFrom']>[number];
type ValueFrom = NonNullable<NonNullable<Container['env']>[number]['valueFrom']>;

async function addFrom(result: Map<string, string>, source: EnvFrom, namespace: string, { objects }: EnvironmentInput): Promise<void> {
  const prefix = source.prefix ?? '';
  const { configMapRef, secretRef } = source;
  if (configMapRef) {
    const configMap = await objects.configMap(namespace, configMapRef.name ?? '');
    if (!configMap && configMapRef.optional !== true) throw configError(`configmap "${configMapRef.name}" not found`);
    for (const [key, value] of sortedEntries(configMap?.data)) result.set(prefix + key, value);
  } else if (secretRef) {
    const secret = await objects.secret(namespace, secretRef.name ?? '');
    if (!secret && secretRef.optional !== true) throw configError(`secret "${secretRef.name}" not found`);
    for (const [key, value] of sortedEntries(secret?.data)) result.set(prefix + key, decode(value));
  }
}

async function referencedValue(from: ValueFrom, namespace: string, input: EnvironmentInput): Promise<string | undefined> {
  const { pod, container, facts, objects } = input;
  try {
    if (from.fieldRef) return fieldValue(pod, from.fieldRef.fieldPath, facts);
    if (from.resourceFieldRef) return resourceFieldValue(pod, from.resourceFieldRef, container, facts);
  } catch (error) {
    throw configError(error instanceof Error ? error.message : String(error));
  }
  const { configMapKeyRef, secretKeyRef } = from;
  if (configMapKeyRef) {
    const { name = '', key, optional = false } = configMapKeyRef;
    const configMap = await objects.configMap(namespace, name);
    const value = configMap?.data?.[key];
    if (value === undefined && !optional) {
      throw configError(configMap ? `couldn't find key ${key} in ConfigMap ${namespace}/${name}` : `configmap "${name}" not found`);
    }
    return value;
  }
  if (secretKeyRef) {
    const { name = '', key, optional = false } = secretKeyRef;
    const secret = await objects.secret(namespace, name);
    const value = secret?.data?.[key];
    if (value === undefined && !optional) {
      throw configError(secret ? `couldn't find key ${key} in Secret ${namespace}/${name}` : `secret "${name}" not found`);
    }
    return value === undefined ? undefined : decode(value);
  }
  return undefined;
}

const decode = (base64: string) => Buffer.from(base64, 'base64').toString('utf8');
const sortedEntries = (data: Readonly<Record<string, string>> | undefined) =>
  Object.entries(data ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
