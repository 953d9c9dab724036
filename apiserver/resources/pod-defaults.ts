// What Kubernetes sets in pods and pod templates when it is left out. Templates get less than pods: requests from
// limits, service links and host ports appear only in the pod itself.

import type { Container, Pod, PodSpec } from '../../api/core.ts';
import type { EphemeralContainer, LifecycleHandler, Probe, Volume } from '../../api/pod-parts.ts';
import { containerAmounts, isPodLevelResource } from '../../api/pods.ts';
import { formatQuantity } from '../../api/quantity.ts';
import { canonical, defaultResourceList, defaultResources, isHugePages } from './resource-lists.ts';

/** SetObjectDefaults_Pod. Mutates. */
export function defaultPod(pod: Pod): void {
  const { spec } = pod;
  if (!spec) return;
  defaultPodSpec(spec);
  for (const container of spec.containers ?? []) requestLimits(container);
  for (const container of spec.initContainers ?? []) requestLimits(container);
  defaultPodResources(spec);
  spec.enableServiceLinks ??= true;
  if (spec.hostNetwork) {
    for (const container of spec.containers ?? []) hostPorts(container);
    for (const container of spec.initContainers ?? []) hostPorts(container);
  }
}

function requestLimits({ resources }: Container): void {
  if (!resources?.limits) return;
  resources.requests ??= {};
  for (const name in resources.limits) resources.requests[name] ??= resources.limits[name] as string;
}

/** What a pod that asks for some resources as a whole (KEP-2837) gets from its containers and its own limits. */
function defaultPodResources(spec: PodSpec): void {
  const { resources } = spec;
  if (!resources || Object.keys({ ...resources.limits, ...resources.requests }).length === 0) return;
  const limits = { ...resources.limits };
  for (const [name, amount] of Object.entries(containerAmounts(spec, 'limits')))
    if (isHugePages(name) && resources.requests?.[name] === undefined) limits[name] ??= formatQuantity(amount);
  if (Object.keys(limits).length === 0) return;
  const requests = { ...resources.requests };
  for (const [name, amount] of Object.entries(containerAmounts(spec, 'requests')))
    if (isPodLevelResource(name) && !isHugePages(name)) requests[name] ??= formatQuantity(amount);
  for (const name in limits) if (isPodLevelResource(name)) requests[name] ??= limits[name] as string;
  spec.resources = { ...resources, limits, requests };
}

function hostPorts(container: Container): void {
  for (const port of container.ports ?? []) if (!port.hostPort) port.hostPort = port.containerPort;
}

/** SetObjectDefaults_PodTemplate's part for the spec, which pods share. Mutates. */
export function defaultPodSpec(spec: PodSpec): void {
  spec.dnsPolicy ||= 'ClusterFirst';
  spec.restartPolicy ||= 'Always';
  spec.securityContext ??= {};
  spec.terminationGracePeriodSeconds ??= 30;
  spec.schedulerName ||= 'default-scheduler';
  spec.serviceAccountName ||= spec.serviceAccount ?? '';
  if (spec.serviceAccountName) spec.serviceAccount = spec.serviceAccountName;
  else delete spec.serviceAccountName;
  for (const container of spec.containers ?? []) defaultContainer(container);
  for (const container of spec.initContainers ?? []) defaultContainer(container);
  for (const container of spec.ephemeralContainers ?? []) defaultContainer(container);
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
  if (spec.overhead) defaultResourceList(spec.overhead);
  defaultResources(spec.resources);
}

function defaultContainer(container: Container | EphemeralContainer): void {
  container.imagePullPolicy ||= tagOf(container.image ?? '') === 'latest' ? 'Always' : 'IfNotPresent';
  container.terminationMessagePath ||= '/dev/termination-log';
  container.terminationMessagePolicy ||= 'File';
  container.resources ??= {};
  defaultResources(container.resources);
  for (const port of container.ports ?? []) port.protocol ||= 'TCP';
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.fieldRef) valueFrom.fieldRef.apiVersion ||= 'v1';
    if (valueFrom?.resourceFieldRef) valueFrom.resourceFieldRef.divisor = canonical(valueFrom.resourceFieldRef.divisor ?? '0');
    if (valueFrom?.fileKeyRef) valueFrom.fileKeyRef.optional ??= false;
  }
  if (container.livenessProbe) defaultProbe(container.livenessProbe);
  if (container.readinessProbe) defaultProbe(container.readinessProbe);
  if (container.startupProbe) defaultProbe(container.startupProbe);
  if (container.lifecycle?.postStart) defaultHandler(container.lifecycle.postStart);
  if (container.lifecycle?.preStop) defaultHandler(container.lifecycle.preStop);
}

/** The tag of an image reference: `latest` when it has neither tag nor digest. */
export function tagOf(image: string): string {
  const at = image.indexOf('@');
  const name = at === -1 ? image : image.slice(0, at);
  const last = name.slice(name.lastIndexOf('/') + 1);
  const colon = last.indexOf(':');
  if (colon !== -1) return last.slice(colon + 1);
  return at === -1 ? 'latest' : '';
}

function defaultProbe(probe: Probe): void {
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  if (probe.grpc) probe.grpc.service ??= '';
  defaultHandler(probe);
}

function defaultHandler(handler: Pick<LifecycleHandler, 'httpGet'>): void {
  if (!handler.httpGet) return;
  handler.httpGet.path ||= '/';
  handler.httpGet.scheme ||= 'HTTP';
}

function defaultVolume(volume: Volume): void {
  const { secret, configMap, downwardAPI, projected, hostPath, iscsi, rbd, azureDisk, scaleIO, ephemeral, image, emptyDir } = volume;
  if (isSourceless(volume)) volume.emptyDir = {};
  if (emptyDir?.sizeLimit) emptyDir.sizeLimit = canonical(emptyDir.sizeLimit);
  if (secret) secret.defaultMode ??= 0o644;
  if (configMap) configMap.defaultMode ??= 0o644;
  if (downwardAPI) {
    downwardAPI.defaultMode ??= 0o644;
    defaultDownwardItems(downwardAPI.items);
  }
  if (projected) {
    projected.defaultMode ??= 0o644;
    for (const source of projected.sources ?? []) {
      defaultDownwardItems(source.downwardAPI?.items);
      if (source.serviceAccountToken) source.serviceAccountToken.expirationSeconds ??= 3600;
    }
  }
  if (hostPath) hostPath.type ??= '';
  if (iscsi) iscsi.iscsiInterface ||= 'default';
  if (rbd) {
    rbd.pool ||= 'rbd';
    rbd.user ||= 'admin';
    rbd.keyring ||= '/etc/ceph/keyring';
  }
  if (azureDisk) {
    azureDisk.cachingMode ??= 'ReadWrite';
    azureDisk.kind ??= 'Shared';
    azureDisk.fsType ??= 'ext4';
    azureDisk.readOnly ??= false;
  }
  if (scaleIO) {
    scaleIO.storageMode ||= 'ThinProvisioned';
    scaleIO.fsType ||= 'xfs';
  }
  if (ephemeral?.volumeClaimTemplate?.spec) {
    ephemeral.volumeClaimTemplate.spec.volumeMode ??= 'Filesystem';
    defaultResources(ephemeral.volumeClaimTemplate.spec.resources);
  }
  if (image) image.pullPolicy ||= tagOf(image.reference ?? '') === 'latest' ? 'Always' : 'IfNotPresent';
}

function isSourceless(volume: Volume): boolean {
  for (const key in volume) if (key !== 'name' && volume[key as keyof Volume] !== undefined) return false;
  return true;
}

type DownwardItems = NonNullable<Volume['downwardAPI']>['items'];

function defaultDownwardItems(items: DownwardItems): void {
  for (const { fieldRef, resourceFieldRef } of items ?? []) {
    if (fieldRef) fieldRef.apiVersion ||= 'v1';
    if (resourceFieldRef) resourceFieldRef.divisor = canonical(resourceFieldRef.divisor ?? '0');
  }
}
