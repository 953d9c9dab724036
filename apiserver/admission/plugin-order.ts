// The plug-ins' names: in which order they run, which run unless told otherwise, and which run for some flags
// (kubernetes pkg/kubeapiserver/options/plugins.go).

/** Every name a flag may say, in the order of running. */
export const pluginOrder = [
  'AlwaysAdmit',
  'NamespaceAutoProvision',
  'NamespaceLifecycle',
  'NamespaceExists',
  'LimitPodHardAntiAffinityTopology',
  'LimitRanger',
  'ServiceAccount',
  'NodeRestriction',
  'TaintNodesByCondition',
  'AlwaysPullImages',
  'ImagePolicyWebhook',
  'PodSecurity',
  'PodNodeSelector',
  'Priority',
  'DefaultTolerationSeconds',
  'PodTolerationRestriction',
  'EventRateLimit',
  'ExtendedResourceToleration',
  'DefaultStorageClass',
  'StorageObjectInUseProtection',
  'OwnerReferencesPermissionEnforcement',
  'PersistentVolumeClaimResize',
  'RuntimeClass',
  'CertificateApproval',
  'CertificateSigning',
  'ClusterTrustBundleAttest',
  'CertificateSubjectRestriction',
  'DefaultIngressClass',
  'DenyServiceExternalIPs',
  'PodTopologyLabels',
  'PodGroupWorkloadExists',
  'NodeDeclaredFeatureValidator',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionWebhook',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionWebhook',
  'ResourceQuota',
  'AlwaysDeny',
] as const;

export type PluginName = (typeof pluginOrder)[number];

const offByDefault: ReadonlySet<PluginName> = new Set<PluginName>([
  'AlwaysAdmit',
  'NamespaceAutoProvision',
  'NamespaceExists',
  'LimitPodHardAntiAffinityTopology',
  'AlwaysPullImages',
  'ImagePolicyWebhook',
  'PodNodeSelector',
  'PodTolerationRestriction',
  'EventRateLimit',
  'ExtendedResourceToleration',
  'OwnerReferencesPermissionEnforcement',
  'DenyServiceExternalIPs',
  'AlwaysDeny',
]);

/** What runs when no flag says otherwise; beside Kubernetes' own choice NodeRestriction, which every installer turns on. */
export const defaultPlugins: readonly PluginName[] = pluginOrder.filter((name) => !offByDefault.has(name));

/** Plug-ins cannot be chosen, or configured, like this. */
export class AdmissionConfigurationError extends Error {
  override name = 'AdmissionConfigurationError';
}

export interface PluginChoice {
  /** In addition to the default ones. */
  enable?: readonly string[];
  disable?: readonly string[];
}

/** The names of those that run, in order. @throws AdmissionConfigurationError with every problem, in Kubernetes' words */
export function enabledPlugins({ enable = [], disable = [] }: PluginChoice): PluginName[] {
  const known: ReadonlySet<string> = new Set(pluginOrder);
  const unknown = (flag: string, names: readonly string[]) =>
    names.filter((name) => !known.has(name)).map((name) => `${flag} plugin ${JSON.stringify(name)} is unknown`);
  const both = [...new Set(enable)].filter((name) => disable.includes(name)).sort();
  const problems = [
    ...unknown('enable-admission-plugins', enable),
    ...unknown('disable-admission-plugins', disable),
    ...(both.length ? [`[${both.join(' ')}] in enable-admission-plugins and disable-admission-plugins overlapped`] : []),
  ];
  if (problems.length) throw new AdmissionConfigurationError(problems.length > 1 ? `[${problems.join(', ')}]` : problems[0]);
  return pluginOrder.filter((name) => enable.includes(name) || (!offByDefault.has(name) && !disable.includes(name)));
}
