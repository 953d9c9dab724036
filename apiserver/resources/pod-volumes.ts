// The rules of a pod's volumes: one source each, named once, and each source's own.
// Longer than most files: it is one table of thirty volume types.

import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from '../../api/field-error.ts';
import type { KeyToPath, ProjectedVolumeSource, Volume } from '../../api/pod-parts.ts';
import { isQuantity, parseQuantity } from '../../api/quantity.ts';
import { eachAt } from '../../api/validation/each.ts';
import { dns1123LabelProblems, dns1123SubdomainProblems, qualifiedNameProblems, rangeProblem } from '../../api/validation/formats.ts';
import { labelSelectorErrors } from '../../api/validation/label-selector.ts';
import { claimTemplateErrors } from './claim-spec.ts';
import { containerResourceFieldErrors, objectFieldErrors, volumeFieldPaths } from './downward-api.ts';
import { backstepErrors, fileModeErrors, localDescendingPathErrors, localNonReservedPathErrors } from './paths.ts';
import { enumErrors } from './pod-security.ts';

/** Adds the problems of the volumes and answers those that can be mounted, by name. `podName` is that of a real pod. */
export function volumesErrors(
  volumes: readonly Volume[] | undefined,
  podName: string | undefined,
  at: string,
  errors: FieldError[],
): Map<string, Volume> {
  const byName = new Map<string, Volume>();
  if (!volumes) return byName;
  const created = new Set(podName ? volumes.filter((v) => v.ephemeral).map((v) => `${podName}-${v.name}`) : []);
  const names = new Set<string>();
  eachAt(volumes, at, (volume, each) => {
    const before = errors.length;
    const name = volume.name ?? '';
    sourceErrors(volume, podName, each, errors);
    if (!name) errors.push(required(`${each}.name`));
    else for (const problem of dns1123LabelProblems(name)) errors.push(invalid(`${each}.name`, name, problem));
    if (names.has(name)) errors.push(duplicate(`${each}.name`, name));
    if (errors.length === before) {
      names.add(name);
      byName.set(name, volume);
    }
    const claimName = volume.persistentVolumeClaim?.claimName;
    if (claimName !== undefined && created.has(claimName)) {
      const why = 'must not reference a PVC that gets created for an ephemeral volume';
      errors.push(invalid(`${each}.persistentVolumeClaim.claimName`, claimName, why));
    }
  });
  return byName;
}

type Source = Exclude<keyof Volume, 'name'>;
type SourceRule = (volume: Volume, at: string, errors: FieldError[], podName: string | undefined) => void;

function sourceErrors(volume: Volume, podName: string | undefined, at: string, errors: FieldError[]): void {
  let count = 0;
  for (const [source, rule] of rules) {
    if (volume[source] === undefined) continue;
    if (count > 0) errors.push(forbidden(`${at}.${source}`, 'may not specify more than 1 volume type'));
    else rule(volume, `${at}.${source}`, errors, podName);
    count++;
  }
  if (count === 0) errors.push(required(at, 'must specify a volume type'));
}

/** A rule that only asks for some texts to be there. */
function needs<S extends Source>(source: S, ...fields: (keyof NonNullable<Volume[S]> & string)[]): [Source, SourceRule] {
  return [
    source,
    (volume, at, errors) => {
      const value = volume[source] as Readonly<Record<string, unknown>> | undefined;
      for (const field of fields) {
        const content = value?.[field];
        if (!content || (Array.isArray(content) && content.length === 0)) errors.push(required(`${at}.${field}`));
      }
    },
  ];
}

const rules: readonly [Source, SourceRule][] = [
  ['emptyDir', emptyDirErrors],
  ['hostPath', hostPathErrors],
  ['gitRepo', gitRepoErrors],
  [
    'gcePersistentDisk',
    ({ gcePersistentDisk }, at, errors) =>
      diskErrors(gcePersistentDisk, 'pdName', at.replace(/gcePersistentDisk$/, 'persistentDisk'), errors),
  ],
  ['awsElasticBlockStore', ({ awsElasticBlockStore }, at, errors) => diskErrors(awsElasticBlockStore, 'volumeID', at, errors)],
  ['secret', secretErrors],
  ['nfs', nfsErrors],
  ['iscsi', iscsiErrors],
  needs('glusterfs', 'endpoints', 'path'),
  ['flocker', flockerErrors],
  needs('persistentVolumeClaim', 'claimName'),
  needs('rbd', 'monitors', 'image'),
  ['cinder', cinderErrors],
  needs('cephfs', 'monitors'),
  ['quobyte', quobyteErrors],
  ['downwardAPI', ({ downwardAPI }, at, errors) => downwardErrors(downwardAPI, at, errors)],
  ['fc', fcErrors],
  ['flexVolume', flexErrors],
  ['configMap', configMapErrors],
  needs('azureFile', 'secretName', 'shareName'),
  needs('vsphereVolume', 'volumePath'),
  needs('photonPersistentDisk', 'pdID'),
  needs('portworxVolume', 'volumeID'),
  ['azureDisk', azureDiskErrors],
  ['storageos', storageosErrors],
  ['projected', ({ projected }, at, errors) => projectedErrors(projected, at, errors)],
  needs('scaleIO', 'gateway', 'system', 'volumeName'),
  ['csi', csiErrors],
  ['ephemeral', ephemeralErrors],
  ['image', imageErrors],
];

function emptyDirErrors({ emptyDir }: Volume, at: string, errors: FieldError[]): void {
  const limit = emptyDir?.sizeLimit;
  if (limit !== undefined && (!isQuantity(limit) || parseQuantity(limit).nano < 0n))
    errors.push(forbidden(`${at}.sizeLimit`, 'SizeLimit field must be a valid resource quantity'));
}

const hostPathTypes = ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket'];

function hostPathErrors({ hostPath }: Volume, at: string, errors: FieldError[]): void {
  if (!hostPath?.path) {
    errors.push(required(`${at}.path`));
    return;
  }
  backstepErrors(hostPath.path, `${at}.path`, errors);
  enumErrors(hostPath.type, hostPathTypes, `${at}.type`, errors);
}

function gitRepoErrors({ gitRepo }: Volume, at: string, errors: FieldError[]): void {
  if (!gitRepo?.repository) errors.push(required(`${at}.repository`));
  localDescendingPathErrors(gitRepo?.directory ?? '', `${at}.directory`, errors);
}

function diskErrors(disk: { partition?: number } | undefined, idField: string, at: string, errors: FieldError[]): void {
  if (!disk || !(disk as Record<string, unknown>)[idField]) errors.push(required(`${at}.${idField}`));
  const partition = disk?.partition ?? 0;
  if (partition < 0 || partition > 255) errors.push(invalid(`${at}.partition`, partition, rangeProblem(1, 255)));
}

function secretErrors({ secret }: Volume, at: string, errors: FieldError[]): void {
  if (!secret?.secretName) errors.push(required(`${at}.secretName`));
  fileModeErrors(secret?.defaultMode, `${at}.defaultMode`, errors);
  keyToPathsErrors(secret?.items, `${at}.items`, errors);
}

function configMapErrors({ configMap }: Volume, at: string, errors: FieldError[]): void {
  if (!configMap?.name) errors.push(required(`${at}.name`));
  fileModeErrors(configMap?.defaultMode, `${at}.defaultMode`, errors);
  keyToPathsErrors(configMap?.items, `${at}.items`, errors);
}

function keyToPathsErrors(items: readonly KeyToPath[] | undefined, at: string, errors: FieldError[]): void {
  eachAt(items, at, ({ key, path = '', mode }, each) => {
    if (!key) errors.push(required(`${each}.key`));
    if (!path) errors.push(required(`${each}.path`));
    localNonReservedPathErrors(path, `${each}.path`, errors);
    fileModeErrors(mode, `${each}.mode`, errors);
  });
}

function nfsErrors({ nfs }: Volume, at: string, errors: FieldError[]): void {
  if (!nfs?.server) errors.push(required(`${at}.server`));
  if (!nfs?.path) errors.push(required(`${at}.path`));
  else if (!nfs.path.startsWith('/')) errors.push(invalid(`${at}.path`, nfs.path, 'must be an absolute path'));
}

const iqnForms: Record<string, RegExp> = {
  iqn: /iqn\.\d{4}-\d{2}\.([a-zA-Z0-9\-.]+)(:[^,;*&$|\s]+)$/,
  eui: /^eui.[a-zA-Z0-9]{16}$/,
  naa: /^naa.[a-zA-Z0-9]{32}$/,
};

function iscsiErrors({ iscsi, name }: Volume, at: string, errors: FieldError[]): void {
  if (!iscsi) return;
  if (!iscsi.targetPortal) errors.push(required(`${at}.targetPortal`));
  if (!iscsi.iqn) errors.push(required(`${at}.iqn`));
  else iqnErrors(iscsi.iqn, `${at}.iqn`, errors);
  const lun = iscsi.lun ?? 0;
  if (lun < 0 || lun > 255) errors.push(invalid(`${at}.lun`, lun, rangeProblem(0, 255)));
  if ((iscsi.chapAuthDiscovery || iscsi.chapAuthSession) && !iscsi.secretRef) errors.push(required(`${at}.secretRef`));
  if (iscsi.initiatorName === undefined) return;
  iqnErrors(iscsi.initiatorName, `${at}.initiatorname`, errors);
  if (`${name}:${iscsi.targetPortal}`.length > 64) {
    const why = 'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.';
    errors.push(invalid(at.replace(/iscsi$/, 'name'), name, why));
  }
}

function iqnErrors(value: string, at: string, errors: FieldError[]): void {
  const form = iqnForms[value.slice(0, 3)];
  if (!form) errors.push(invalid(at, value, 'must be valid format starting with iqn, eui, or naa'));
  else if (!form.test(value)) errors.push(invalid(at, value, 'must be valid format'));
}

function flockerErrors({ flocker }: Volume, at: string, errors: FieldError[]): void {
  const { datasetName = '', datasetUUID = '' } = flocker ?? {};
  if (!datasetName && !datasetUUID) errors.push(required(at, 'one of datasetName and datasetUUID is required'));
  if (datasetName && datasetUUID) errors.push(invalid(at, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'));
  if (datasetName.includes('/')) errors.push(invalid(`${at}.datasetName`, datasetName, "must not contain '/'"));
}

function cinderErrors({ cinder }: Volume, at: string, errors: FieldError[]): void {
  if (!cinder?.volumeID) errors.push(required(`${at}.volumeID`));
  if (cinder?.secretRef && !cinder.secretRef.name) errors.push(required(`${at}.secretRef.name`));
}

function quobyteErrors({ quobyte }: Volume, at: string, errors: FieldError[]): void {
  if (!quobyte?.registry) errors.push(required(`${at}.registry`, 'must be a host:port pair or multiple pairs separated by commas'));
  else if ((quobyte.tenant ?? '').length >= 65)
    errors.push(required(`${at}.tenant`, 'must be a UUID and may not exceed a length of 64 characters'));
  else
    for (const pair of quobyte.registry.split(','))
      if (pair.lastIndexOf(':') === -1) {
        errors.push(invalid(`${at}.registry`, quobyte.registry, 'must be a host:port pair or multiple pairs separated by commas'));
        break;
      }
  if (!quobyte?.volume) errors.push(required(`${at}.volume`));
}

function downwardErrors(source: Volume['downwardAPI'], at: string, errors: FieldError[]): void {
  fileModeErrors(source?.defaultMode, `${at}.defaultMode`, errors);
  for (const file of source?.items ?? []) downwardFileErrors(file, at, errors);
}

type DownwardFile = NonNullable<NonNullable<Volume['downwardAPI']>['items']>[number];

function downwardFileErrors({ path = '', fieldRef, resourceFieldRef, mode }: DownwardFile, at: string, errors: FieldError[]): void {
  if (!path) errors.push(required(`${at}.path`));
  localNonReservedPathErrors(path, `${at}.path`, errors);
  if (fieldRef) {
    objectFieldErrors(fieldRef, volumeFieldPaths, `${at}.fieldRef`, errors);
    if (resourceFieldRef) errors.push(invalid(at, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'));
  } else if (resourceFieldRef)
    containerResourceFieldErrors(resourceFieldRef, `${at}.resourceFieldRef`, errors, { needsContainerName: true });
  else errors.push(required(at, 'one of fieldRef and resourceFieldRef is required'));
  fileModeErrors(mode, `${at}.mode`, errors);
}

function fcErrors({ fc }: Volume, at: string, errors: FieldError[]): void {
  const hasTargets = Boolean(fc?.targetWWNs?.length);
  const hasIds = Boolean(fc?.wwids?.length);
  if (!hasTargets && !hasIds) errors.push(required(`${at}.targetWWNs`, 'must specify either targetWWNs or wwids, but not both'));
  if (hasTargets && hasIds)
    errors.push(invalid(`${at}.targetWWNs`, fc?.targetWWNs, 'targetWWNs and wwids can not be specified simultaneously'));
  if (!hasTargets || hasIds) return;
  if (fc?.lun === undefined) errors.push(required(`${at}.lun`, 'lun is required if targetWWNs is specified'));
  else if (fc.lun < 0 || fc.lun > 255) errors.push(invalid(`${at}.lun`, fc.lun, rangeProblem(0, 255)));
}

function flexErrors({ flexVolume }: Volume, at: string, errors: FieldError[]): void {
  if (!flexVolume?.driver) errors.push(required(`${at}.driver`));
  for (const key in flexVolume?.options) {
    const normalized = `.${(key.includes('/') ? key.slice(0, key.indexOf('/')) : key).toLowerCase()}`;
    if (normalized.endsWith('.kubernetes.io') || normalized.endsWith('.k8s.io'))
      errors.push(invalid(`${at}.options[${key}]`, key, 'kubernetes.io and k8s.io namespaces are reserved'));
  }
}

function azureDiskErrors({ azureDisk }: Volume, at: string, errors: FieldError[]): void {
  if (!azureDisk?.diskName) errors.push(required(`${at}.diskName`));
  if (!azureDisk?.diskURI) errors.push(required(`${at}.diskURI`));
  enumErrors(azureDisk?.cachingMode, ['None', 'ReadOnly', 'ReadWrite'], `${at}.cachingMode`, errors);
  enumErrors(azureDisk?.kind, ['Dedicated', 'Managed', 'Shared'], `${at}.kind`, errors);
  const uri = azureDisk?.diskURI ?? '';
  if (azureDisk?.kind === 'Managed' && !uri.startsWith('/subscriptions/'))
    errors.push(
      notSupported(`${at}.diskURI`, uri, [
        '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}',
      ]),
    );
  if (azureDisk?.kind && azureDisk.kind !== 'Managed' && !uri.startsWith('https://'))
    errors.push(notSupported(`${at}.diskURI`, uri, ['https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd']));
}

function storageosErrors({ storageos }: Volume, at: string, errors: FieldError[]): void {
  if (!storageos?.volumeName) errors.push(required(`${at}.volumeName`));
  else
    for (const problem of dns1123LabelProblems(storageos.volumeName))
      errors.push(invalid(`${at}.volumeName`, storageos.volumeName, problem));
  if (storageos?.volumeNamespace)
    for (const problem of dns1123LabelProblems(storageos.volumeNamespace))
      errors.push(invalid(`${at}.volumeNamespace`, storageos.volumeNamespace, problem));
  if (storageos?.secretRef && !storageos.secretRef.name) errors.push(required(`${at}.secretRef.name`));
}

/** Adds the problems of a CSI driver's name. */
export function csiDriverNameErrors(driver: string, at: string, errors: FieldError[]): void {
  if (!driver) errors.push(required(at));
  if (driver.length > 63) errors.push({ type: 'FieldValueTooLong', field: at, message: 'Too long: may not be more than 63 bytes' });
  for (const problem of dns1123SubdomainProblems(driver.toLowerCase())) errors.push(invalid(at, driver, problem));
}

function csiErrors({ csi }: Volume, at: string, errors: FieldError[]): void {
  csiDriverNameErrors(csi?.driver ?? '', `${at}.driver`, errors);
  if (csi?.nodePublishSecretRef && !csi.nodePublishSecretRef.name) errors.push(required(`${at}.nodePublishSecretRef.name`));
}

function ephemeralErrors({ ephemeral, name }: Volume, at: string, errors: FieldError[], podName: string | undefined): void {
  if (!ephemeral?.volumeClaimTemplate) errors.push(required(`${at}.volumeClaimTemplate`));
  else claimTemplateErrors(ephemeral.volumeClaimTemplate, `${at}.volumeClaimTemplate`, errors);
  if (!podName || !name) return;
  const claimName = `${podName}-${name}`;
  for (const problem of dns1123SubdomainProblems(claimName))
    errors.push(invalid(at.replace(/ephemeral$/, 'name'), name, `PVC name ${JSON.stringify(claimName)}: ${problem}`));
}

function imageErrors({ image }: Volume, at: string, errors: FieldError[]): void {
  if (!image?.reference) errors.push(required(`${at}.reference`));
  enumErrors(image?.pullPolicy, ['Always', 'IfNotPresent', 'Never'], `${at}.pullPolicy`, errors);
}

function projectedErrors(projected: ProjectedVolumeSource | undefined, at: string, errors: FieldError[]): void {
  fileModeErrors(projected?.defaultMode, `${at}.defaultMode`, errors);
  const paths = new Set<string>();
  const claimPath = (path: string | undefined, shown: string) => {
    if (!path) return;
    if (paths.has(path)) errors.push(invalid(at, shown, 'conflicting duplicate paths'));
    paths.add(path);
  };
  eachAt(projected?.sources, `${at}.sources`, (source, each) => {
    for (const field of ['secret', 'configMap'] as const) {
      const part = source[field];
      if (!part) continue;
      if (!part.name) errors.push(required(`${each}.${field}.name`));
      keyToPathsErrors(part.items, `${each}.${field}.items`, errors);
      for (const item of part.items ?? []) claimPath(item.path, part.name ?? '');
    }
    for (const file of source.downwardAPI?.items ?? []) {
      downwardFileErrors(file, `${each}.downwardAPI`, errors);
      claimPath(file.path, file.path);
    }
    tokenErrors(source, at, each, errors);
    trustBundleErrors(source, each, errors);
    claimPath(source.clusterTrustBundle?.path, source.clusterTrustBundle?.path ?? '');
    if (source.podCertificate) podCertificateErrors(source, each, errors);
    const count = Object.values(source).filter((part) => part !== undefined).length;
    if (count > 1) errors.push(forbidden(each, 'may not specify more than 1 volume type per source'));
  });
}

type Projection = NonNullable<ProjectedVolumeSource['sources']>[number];

function tokenErrors({ serviceAccountToken: token }: Projection, projectedAt: string, at: string, errors: FieldError[]): void {
  if (!token) return;
  const seconds = token.expirationSeconds ?? 0;
  const path = `${at}.serviceAccountToken.expirationSeconds`;
  if (seconds < 600) errors.push(invalid(path, seconds, 'may not specify a duration less than 10 minutes'));
  if (seconds > 2 ** 32) errors.push(invalid(path, seconds, 'may not specify a duration larger than 2^32 seconds'));
  if (!token.path) errors.push(required(`${projectedAt}.path`));
  else localNonReservedPathErrors(token.path, `${projectedAt}.path`, errors);
}

function trustBundleErrors({ clusterTrustBundle: bundle }: Projection, each: string, errors: FieldError[]): void {
  if (!bundle) return;
  const at = `${each}.clusterTrustBundle`;
  if (bundle.name !== undefined && bundle.signerName !== undefined)
    errors.push(invalid(at, bundle, 'only one of name and signerName may be used'));
  else if (bundle.name !== undefined) {
    if (!bundle.name) errors.push(required(`${at}.name`, 'must be a valid object name'));
    if (bundle.labelSelector)
      errors.push(invalid(`${at}.labelSelector`, bundle.labelSelector, 'labelSelector must be unset if name is specified'));
  } else if (bundle.signerName !== undefined) {
    if (!bundle.signerName) errors.push(required(`${at}.signerName`, 'must be a valid signer name'));
    labelSelectorErrors(bundle.labelSelector, `${at}.labelSelector`, errors);
  } else errors.push(required(at, 'either name or signerName must be specified'));
  if (!bundle.path) errors.push(required(`${at}.path`));
  localNonReservedPathErrors(bundle.path ?? '', `${at}.path`, errors);
}

function podCertificateErrors({ podCertificate }: Projection, each: string, errors: FieldError[]): void {
  const at = `${each}.podCertificate`;
  if (!podCertificate?.signerName) errors.push(required(`${at}.signerName`));
  else
    for (const problem of qualifiedNameProblems(podCertificate.signerName))
      errors.push(invalid(`${at}.signerName`, podCertificate.signerName, problem));
  enumErrors(
    podCertificate?.keyType ?? '',
    ['ECDSAP256', 'ECDSAP384', 'ECDSAP521', 'ED25519', 'RSA3072', 'RSA4096'],
    `${at}.keyType`,
    errors,
  );
  for (const field of ['credentialBundlePath', 'keyPath', 'certificateChainPath'] as const)
    if (podCertificate?.[field]) localNonReservedPathErrors(podCertificate[field], `${at}.${field}`, errors);
}
