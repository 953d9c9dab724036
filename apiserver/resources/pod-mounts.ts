// The rules of how a container mounts volumes, as directories and as block devices.

import type { Container } from '../../api/core.ts';
import { type FieldError, forbidden, invalid, notFound, required } from '../../api/field-error.ts';
import type { EphemeralContainer, Volume, VolumeMount } from '../../api/pod-parts.ts';
import { eachAt } from '../../api/validation/each.ts';
import { backstepErrors, localDescendingPathErrors } from './paths.ts';
import { enumErrors } from './pod-security.ts';

/** Adds the problems of a container's volumeMounts and volumeDevices; `volumes` are those of its pod. */
export function mountsErrors(
  container: Container | EphemeralContainer,
  volumes: ReadonlyMap<string, Volume>,
  at: string,
  errors: FieldError[],
): void {
  const mounted = new Set<string>();
  const { volumeMounts = [], volumeDevices = [] } = container;
  eachAt(volumeMounts, `${at}.volumeMounts`, (mount, each) => {
    const { name = '', mountPath = '' } = mount;
    if (!name) errors.push(required(`${each}.name`));
    if (!volumes.has(name)) errors.push(notFound(`${each}.name`, name));
    if (!mountPath) errors.push(required(`${each}.mountPath`));
    if (mounted.has(mountPath)) errors.push(invalid(`${each}.mountPath`, mountPath, 'must be unique'));
    mounted.add(mountPath);
    if (volumeDevices.some((device) => device.name === name))
      errors.push(invalid(`${each}.name`, name, 'must not already exist in volumeDevices'));
    if (volumeDevices.some((device) => device.devicePath === mountPath))
      errors.push(invalid(`${each}.mountPath`, mountPath, 'must not already exist as a path in volumeDevices'));
    if (volumes.get(name)?.image && !mount.subPath && mount.subPathExpr)
      errors.push(invalid(`${each}.subPathExpr`, mount.subPathExpr, 'not allowed in image volume sources'));
    mountOptionsErrors(mount, container, `${at}.volumeMounts`, each, errors);
  });
  devicesErrors(container, volumes, `${at}.volumeDevices`, errors);
}

// Kubernetes reports some of these at the list, not at the item: `at` is the list's path, `each` the item's.
function mountOptionsErrors(
  mount: VolumeMount,
  container: Container | EphemeralContainer,
  at: string,
  each: string,
  errors: FieldError[],
): void {
  const { subPath, subPathExpr, mountPropagation, recursiveReadOnly, readOnly } = mount;
  if (subPath) localDescendingPathErrors(subPath, `${at}.subPath`, errors);
  if (subPathExpr) {
    if (subPath) errors.push(invalid(`${each}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive'));
    localDescendingPathErrors(subPathExpr, `${at}.subPathExpr`, errors);
  }
  enumErrors(mountPropagation, ['Bidirectional', 'HostToContainer', 'None'], `${at}.mountPropagation`, errors);
  if (mountPropagation === 'Bidirectional' && !container.securityContext?.privileged)
    errors.push(forbidden(`${at}.mountPropagation`, 'Bidirectional mount propagation is available only to privileged containers'));
  enumErrors(recursiveReadOnly, ['Disabled', 'Enabled', 'IfPossible'], `${at}.recursiveReadOnly`, errors);
  if (recursiveReadOnly !== 'Enabled' && recursiveReadOnly !== 'IfPossible') return;
  if (!readOnly) errors.push(forbidden(`${at}.recursiveReadOnly`, 'may only be specified when readOnly is true'));
  if (mountPropagation && mountPropagation !== 'None')
    errors.push(forbidden(`${at}.recursiveReadOnly`, 'may only be specified when mountPropagation is None or not specified'));
}

function devicesErrors(
  { volumeMounts = [], volumeDevices }: Container | EphemeralContainer,
  volumes: ReadonlyMap<string, Volume>,
  at: string,
  errors: FieldError[],
): void {
  const names = new Set<string>();
  const paths = new Set<string>();
  eachAt(volumeDevices, at, ({ name = '', devicePath = '' }, each) => {
    const volume = volumes.get(name);
    if (!name) errors.push(required(`${each}.name`));
    if (names.has(name)) errors.push(invalid(`${each}.name`, name, 'must be unique'));
    if (volume && !volume.persistentVolumeClaim && !volume.ephemeral) {
      const why = 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode';
      errors.push(invalid(`${each}.name`, name, why));
    }
    if (!volume) errors.push(notFound(`${each}.name`, name));
    if (!devicePath) errors.push(required(`${each}.devicePath`));
    if (paths.has(devicePath)) errors.push(invalid(`${each}.devicePath`, devicePath, 'must be unique'));
    const backsteps: FieldError[] = [];
    backstepErrors(devicePath, each, backsteps);
    if (backsteps.length) errors.push(invalid(`${each}.devicePath`, devicePath, "can not contain backsteps ('..')"));
    else paths.add(devicePath);
    if (volumeMounts.some((mount) => mount.name === name))
      errors.push(invalid(`${each}.name`, name, 'must not already exist in volumeMounts'));
    if (volumeMounts.some((mount) => mount.mountPath === devicePath))
      errors.push(invalid(`${each}.devicePath`, devicePath, 'must not already exist as a path in volumeMounts'));
    if (name) names.add(name);
  });
}
