// What the authors of volumes, claims and classes are warned of (pkg/api/persistentvolume, persistentvolumeclaim, storage).

import type { PersistentVolume, PersistentVolumeClaim } from '../../api/core.ts';
import { nodeSelectorTermWarnings } from './node-label-warnings.ts';
import { claimSpecWarnings, deprecatedVolumes, volumeFieldName } from './pod-warnings.ts';

const classAnnotation = 'volume.beta.kubernetes.io/storage-class';
const deprecatedAnnotations: Record<string, string> = {
  [classAnnotation]: 'deprecated since v1.8; use "storageClassName" attribute instead',
  'volume.beta.kubernetes.io/mount-options': 'deprecated since v1.31; use "mountOptions" attribute instead',
};

export function volumeWarnings({ metadata, spec }: PersistentVolume): string[] {
  const warnings: string[] = [];
  for (const [key, text] of Object.entries(deprecatedAnnotations))
    if (metadata?.annotations && key in metadata.annotations) warnings.push(`metadata.annotations[${key}]: ${text}`);
  if (spec?.persistentVolumeReclaimPolicy === 'Recycle')
    warnings.push(
      'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
    );
  spec?.nodeAffinity?.required?.nodeSelectorTerms.forEach((term, index) => {
    warnings.push(...nodeSelectorTermWarnings(term, `spec.nodeAffinity.required.nodeSelectorTerms[${index}]`));
  });
  for (const [field, text] of Object.entries(deprecatedVolumes))
    if (spec && field in spec) warnings.push(`spec.${volumeFieldName(field)}: ${text}`);
  return warnings;
}

export function claimWarnings({ metadata, spec }: PersistentVolumeClaim): string[] {
  const isAnnotated = metadata?.annotations && classAnnotation in metadata.annotations;
  return [
    ...(isAnnotated ? [`metadata.annotations[${classAnnotation}]: ${deprecatedAnnotations[classAnnotation]}`] : []),
    ...claimSpecWarnings(spec, 'spec'),
  ];
}
