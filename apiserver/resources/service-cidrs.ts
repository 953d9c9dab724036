// Service CIDRs and IP addresses: the ranges that services get their addresses from, and who has which address.

import { type FieldError, invalid, required } from '../../api/field-error.ts';
import { ipAddresses, type ServiceCidr, serviceCidrs } from '../../api/networking.ts';
import { eachAt } from '../../api/validation/each.ts';
import { cidrErrors, formatIp, isIpv6, parseIp } from '../../api/validation/ip.ts';
import { immutableErrors } from '../../api/validation/object-meta.ts';
import { ageColumn, nameColumn, text } from './columns.ts';
import { keep } from './generation.ts';
import { serve } from './resource.ts';

function validateServiceCidr({ spec }: ServiceCidr): FieldError[] {
  const errors: FieldError[] = [];
  const cidrs = spec?.cidrs ?? [];
  if (cidrs.length === 0) errors.push(required('spec.cidrs', 'at least one CIDR required'));
  if (cidrs.length > 2) errors.push(invalid('spec', spec, 'may only hold up to 2 values'));
  eachAt(cidrs, 'spec.cidrs', (cidr, at) => {
    errors.push(...cidrErrors(at, cidr));
  });
  if (cidrs.length === 2 && isIpv6(cidrs[0]?.split('/')[0] ?? '') === isIpv6(cidrs[1]?.split('/')[0] ?? ''))
    errors.push(invalid('spec', spec, 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/96'));
  return errors;
}

export const serviceCidrResource = serve(serviceCidrs, {
  beforeCreate(serviceCidr) {
    serviceCidr.status = {};
  },
  beforeUpdate: (serviceCidr, old) => keep(serviceCidr, old, 'status'),
  validate: validateServiceCidr,
  validateUpdate: (serviceCidr, old) => immutableErrors('spec.cidrs', serviceCidr.spec?.cidrs, old.spec?.cidrs),
  status: { beforeUpdate: (serviceCidr, old) => keep(serviceCidr, old, 'spec'), validateUpdate: () => [] },
  columns: [nameColumn(), text('CIDRs', 'The ranges.', ({ spec }) => (spec?.cidrs ?? []).join(',')), ageColumn()],
});

function canonicalNameProblems(name: string): string[] {
  const bytes = parseIp(name);
  if (!bytes) return ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'];
  return formatIp(bytes) === name ? [] : [`must be in canonical form (${JSON.stringify(formatIp(bytes))})`];
}

export const ipAddressResource = serve(ipAddresses, {
  validate({ spec }) {
    const parent = spec?.parentRef;
    if (!parent) return [required('spec.parentRef')];
    const errors: FieldError[] = [];
    for (const field of ['resource', 'name'] as const) if (!parent[field]) errors.push(required(`spec.parentRef.${field}`));
    return errors;
  },
  validateUpdate: (address, old) => immutableErrors('spec.parentRef', address.spec?.parentRef, old.spec?.parentRef),
  validateName: canonicalNameProblems,
  columns: [
    nameColumn(),
    text('ParentRef', 'Who has the address.', ({ spec }) => {
      const { group, resource, namespace, name } = spec?.parentRef ?? {};
      return [group ? `${resource}.${group}` : resource, namespace, name].filter(Boolean).join('/');
    }),
    ageColumn(),
  ],
});
