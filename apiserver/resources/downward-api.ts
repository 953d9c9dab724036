// The rules of references from a pod into itself: fieldRef and resourceFieldRef, in environments and volumes.

import { type FieldError, invalid, notSupported, required } from '../../api/field-error.ts';
import type { ObjectFieldSelector, ResourceFieldSelector } from '../../api/pod-parts.ts';
import { qualifiedNameProblems } from '../../api/validation/formats.ts';
import { canonical } from './resource-lists.ts';

export const envFieldPaths = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];
export const volumeFieldPaths = ['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid'];
const knownLabels = new Set([
  ...envFieldPaths,
  ...volumeFieldPaths,
  'spec.restartPolicy',
  'spec.schedulerName',
  'status.phase',
  'status.nominatedNodeName',
]);

export function objectFieldErrors(selector: ObjectFieldSelector, supported: readonly string[], at: string, errors: FieldError[]): void {
  const { apiVersion, fieldPath = '' } = selector;
  if (!apiVersion) errors.push(required(`${at}.apiVersion`));
  else if (!fieldPath) errors.push(required(`${at}.fieldPath`));
  else pathErrors(apiVersion, fieldPath, supported, at, errors);
}

function pathErrors(apiVersion: string, fieldPath: string, supported: readonly string[], at: string, errors: FieldError[]): void {
  const unconvertible = (why: string) => errors.push(invalid(`${at}.fieldPath`, fieldPath, `error converting fieldPath: ${why}`));
  if (apiVersion !== 'v1') {
    unconvertible(`unsupported pod version: ${apiVersion}`);
    return;
  }
  const subscripted = /^([^[]+)\['(.*)'\]$/.exec(fieldPath);
  if (subscripted) {
    const [, path = '', key = ''] = subscripted;
    if (path !== 'metadata.annotations' && path !== 'metadata.labels') {
      if (knownLabels.has(path)) errors.push(invalid(at, path, 'does not support subscript'));
      else unconvertible(`field label does not support subscript: ${fieldPath}`);
      return;
    }
    const checked = path === 'metadata.annotations' ? key.toLowerCase() : key;
    for (const problem of qualifiedNameProblems(checked)) errors.push(invalid(at, checked, problem));
    return;
  }
  const path = fieldPath === 'spec.host' ? 'spec.nodeName' : fieldPath;
  if (!knownLabels.has(path)) unconvertible(`field label not supported: ${fieldPath}`);
  else if (!supported.includes(path)) errors.push(notSupported(`${at}.fieldPath`, path, [...supported].sort()));
}

const resourceFields = ['cpu', 'ephemeral-storage', 'memory'].flatMap((name) => [`limits.${name}`, `requests.${name}`]).sort();
const byteDivisors = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];
const divisorNames: Record<string, string> = { memory: 'memory', 'ephemeral-storage': 'local ephemeral storage' };

export function containerResourceFieldErrors(
  selector: ResourceFieldSelector,
  at: string,
  errors: FieldError[],
  { needsContainerName = false } = {},
): void {
  const { resource = '', containerName, divisor } = selector;
  const isHugePages = /^(requests|limits)\.hugepages-/.test(resource);
  if (needsContainerName && !containerName) errors.push(required(`${at}.containerName`));
  else if (!resource) errors.push(required(`${at}.resource`));
  else if (!resourceFields.includes(resource) && !isHugePages) errors.push(notSupported(`${at}.resource`, resource, resourceFields));
  const amount = divisor === undefined ? '0' : canonical(divisor);
  if (amount === '0') return;
  const name = resource.slice(resource.indexOf('.') + 1);
  if (name === 'cpu') {
    if (amount !== '1' && amount !== '1m')
      errors.push(invalid(`${at}.divisor`, resource, "only divisor's values 1m and 1 are supported with the cpu resource"));
  } else if ((divisorNames[name] || isHugePages) && !byteDivisors.includes(amount)) {
    const what = divisorNames[name] ?? 'hugepages';
    const why = `only divisor's values ${byteDivisors.join(', ')} are supported with the ${what} resource`;
    errors.push(invalid(`${at}.divisor`, resource, why));
  }
}
