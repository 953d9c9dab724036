// What the author of a service is warned of (pkg/api/service/warnings.go).

import type { Service } from '../../api/core.ts';
import { addressWarnings, cidrWarnings } from './address-warnings.ts';

export function serviceWarnings({ metadata, spec = {} }: Service): string[] {
  const warnings: string[] = [];
  const { type, clusterIP, clusterIPs = [], externalIPs = [], loadBalancerIP = '', externalName = '', sessionAffinity = 'None' } = spec;
  const isHeadless = type === 'ClusterIP' && clusterIP === 'None';
  if (metadata?.annotations && 'service.kubernetes.io/topology-aware-hints' in metadata.annotations) {
    const [old, now] = ['service.kubernetes.io/topology-aware-hints', 'service.kubernetes.io/topology-mode'];
    warnings.push(`annotation ${old} is deprecated, please use ${now} instead`);
  }
  if (clusterIP && clusterIP !== 'None')
    for (const [i, address] of clusterIPs.entries()) warnings.push(...addressWarnings(address, `spec.clusterIPs[${i}]`));
  if (isHeadless) {
    if (loadBalancerIP) warnings.push('spec.loadBalancerIP is ignored for headless services');
    if (externalIPs.length > 0) warnings.push('spec.externalIPs is ignored for headless services');
    if (sessionAffinity !== 'None') warnings.push('spec.SessionAffinity is ignored for headless services');
  }
  for (const [i, address] of externalIPs.entries()) warnings.push(...addressWarnings(address, `spec.externalIPs[${i}]`));
  if (externalIPs.length > 0 && !isHeadless && type !== 'ExternalName')
    warnings.push('spec.externalIPs is deprecated and may no longer be implemented in some clusters');
  if (loadBalancerIP) warnings.push(...addressWarnings(loadBalancerIP, 'spec.loadBalancerIP'));
  for (const [i, range] of (spec.loadBalancerSourceRanges ?? []).entries())
    warnings.push(...cidrWarnings(range, `spec.loadBalancerSourceRanges[${i}]`));
  if (type === 'ExternalName' && externalIPs.length > 0) warnings.push('spec.externalIPs is ignored when spec.type is "ExternalName"');
  if (type !== 'ExternalName' && externalName) warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  if (spec.trafficDistribution === 'PreferClose')
    warnings.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"');
  return warnings;
}
