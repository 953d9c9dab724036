// The rules of a service's cluster addresses and their IP families: dual stack, and how they may change.

import type { Service } from '../../api/core.ts';
import { duplicate, type FieldError, invalid, notSupported, required } from '../../api/field-error.ts';
import { eachAt } from '../../api/validation/each.ts';
import { isIpv6, legacyIpErrors } from '../../api/validation/ip.ts';
import { enumErrors } from './pod-security.ts';

type Spec = NonNullable<Service['spec']>;

const isHeadless = ({ clusterIPs }: Spec) => clusterIPs?.length === 1 && clusterIPs[0] === 'None';

export function addressFamilyErrors(spec: Spec, errors: FieldError[]): void {
  if (spec.type === 'ExternalName') return;
  const { clusterIP, clusterIPs = [], ipFamilies = [] } = spec;
  const at = 'spec.clusterIPs';
  if (clusterIP && clusterIPs.length === 0) errors.push(required(at));
  else if (clusterIP && clusterIPs[0] !== clusterIP) errors.push(invalid(at, clusterIPs, 'first value must match `clusterIP`'));
  else if (!clusterIP && clusterIPs.length) errors.push(invalid(at, clusterIPs, 'must be empty when `clusterIP` is not specified'));
  eachAt(ipFamilies, 'spec.ipFamilies', (family, each, i) => {
    if (family !== 'IPv4' && family !== 'IPv6') errors.push(notSupported(each, family, ['IPv4', 'IPv6']));
    if (ipFamilies.indexOf(family) < i) errors.push(duplicate(each, family));
  });
  enumErrors(spec.ipFamilyPolicy, ['PreferDualStack', 'RequireDualStack', 'SingleStack'], 'spec.ipFamilyPolicy', errors);
  const before = errors.length;
  eachAt(clusterIPs, at, (ip, each, i) => {
    if (i === 0 && ip === 'None') {
      if (clusterIPs.length > 1) errors.push(invalid(at, clusterIPs, "'None' must be the first and only value"));
    } else errors.push(...legacyIpErrors(each, ip));
  });
  const hasInvalid = errors.length > before;
  if (clusterIPs.length > 2) errors.push(invalid(at, clusterIPs, 'may only hold up to 2 values'));
  if (hasInvalid) return;
  if (clusterIPs.length > 1 && new Set(clusterIPs.map(isIpv6)).size < 2)
    errors.push(invalid(at, clusterIPs, 'may specify no more than one IP for each IP family'));
  if (isHeadless(spec)) return;
  eachAt(clusterIPs.slice(0, ipFamilies.length), at, (ip, each, i) => {
    const family = ipFamilies[i];
    if ((family === 'IPv4' && isIpv6(ip)) || (family === 'IPv6' && !isIpv6(ip)))
      errors.push(invalid(each, ip, `expected an ${family} value as indicated by \`ipFamilies[${i}]\``));
  });
}

/** Problems of a change: a second family may come and go, the first stays. */
export function validateFamilyChange(spec: Spec, old: Spec): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.type === 'ExternalName' || old.type === 'ExternalName') return errors;
  if (!(isHeadless(spec) && isHeadless(old))) listChangeErrors(spec, spec.clusterIPs ?? [], old.clusterIPs ?? [], 'clusterIP', errors);
  if (!isHeadless(spec) && !isHeadless(old)) listChangeErrors(spec, spec.ipFamilies ?? [], old.ipFamilies ?? [], 'ipFamily', errors);
  return errors;
}

function listChangeErrors(
  spec: Spec,
  now: readonly string[],
  old: readonly string[],
  name: 'clusterIP' | 'ipFamily',
  errors: FieldError[],
): void {
  const at = name === 'clusterIP' ? 'spec.clusterIPs' : 'spec.ipFamilies';
  const once = 'may not change once set';
  if (old.length === now.length) {
    old.forEach((value, i) => {
      if (value !== now[i]) errors.push(invalid(`${at}[${name === 'clusterIP' ? i : 0}]`, now, once));
    });
    return;
  }
  if (old.length > now.length && now.length === 0) errors.push(invalid(`${at}[0]`, now, `primary ${name} can not be unset`));
  if (old.length > 0 && now.length > 0 && now[0] !== old[0]) errors.push(invalid(`${at}[0]`, now, once));
  if (old.length > now.length && now.length === 1 && spec.ipFamilyPolicy !== 'SingleStack') {
    const why = `must be set to 'SingleStack' when releasing the secondary ${name}`;
    errors.push(invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, why));
  }
}
