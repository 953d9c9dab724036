// Network policies: who may talk to the pods they select, and whom those may talk to.

import { type FieldError, forbidden, invalid, notSupported, required } from '../../api/field-error.ts';
import { type NetworkPolicy, networkPolicies } from '../../api/networking.ts';
import { eachAt } from '../../api/validation/each.ts';
import { portNameProblems, portNumberProblems } from '../../api/validation/formats.ts';
import { legacyCidrErrors, parseCidr } from '../../api/validation/ip.ts';
import { labelSelectorErrors } from '../../api/validation/label-selector.ts';
import { cidrWarnings } from './address-warnings.ts';
import { ageColumn, nameColumn, selectorText, text } from './columns.ts';
import { bumpGeneration, startGeneration } from './generation.ts';
import { serve } from './resource.ts';

type Spec = NonNullable<NetworkPolicy['spec']>;
type Peer = NonNullable<NonNullable<Spec['egress']>[number]['to']>[number];
type Port = NonNullable<NonNullable<Spec['egress']>[number]['ports']>[number];

export function defaultNetworkPolicy({ spec }: NetworkPolicy): void {
  if (!spec) return;
  for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) for (const port of rule.ports ?? []) port.protocol ??= 'TCP';
  if (!spec.policyTypes?.length) spec.policyTypes = spec.egress?.length ? ['Ingress', 'Egress'] : ['Ingress'];
}

export function validateNetworkPolicy({ spec }: NetworkPolicy): FieldError[] {
  const errors: FieldError[] = [];
  labelSelectorErrors(spec?.podSelector, 'spec.podSelector', errors);
  eachAt(spec?.ingress, 'spec.ingress', (rule, at) => {
    eachAt(rule.ports, `${at}.ports`, (port, each) => portErrors(port, each, errors));
    eachAt(rule.from, `${at}.from`, (peer, each) => peerErrors(peer, each, errors));
  });
  eachAt(spec?.egress, 'spec.egress', (rule, at) => {
    eachAt(rule.ports, `${at}.ports`, (port, each) => portErrors(port, each, errors));
    eachAt(rule.to, `${at}.to`, (peer, each) => peerErrors(peer, each, errors));
  });
  const types = spec?.policyTypes ?? [];
  if (types.length > 2) errors.push(invalid('spec.policyTypes', types, 'may not specify more than two policyTypes'));
  else
    eachAt(types, 'spec.policyTypes', (type, at) => {
      if (type !== 'Ingress' && type !== 'Egress') errors.push(notSupported(at, type, ['Egress', 'Ingress']));
    });
  return errors;
}

function portErrors({ protocol, port, endPort }: Port, at: string, errors: FieldError[]): void {
  if (protocol !== undefined && !['SCTP', 'TCP', 'UDP'].includes(protocol))
    errors.push(notSupported(`${at}.protocol`, protocol, ['SCTP', 'TCP', 'UDP']));
  if (typeof port === 'number') {
    for (const problem of portNumberProblems(port)) errors.push(invalid(`${at}.port`, port, problem));
    if (endPort !== undefined && endPort < port) errors.push(invalid(`${at}.endPort`, endPort, 'must be greater than or equal to `port`'));
    if (endPort !== undefined) for (const problem of portNumberProblems(endPort)) errors.push(invalid(`${at}.endPort`, endPort, problem));
  } else if (port !== undefined) {
    if (endPort !== undefined) errors.push(invalid(`${at}.endPort`, endPort, 'may not be specified when `port` is non-numeric'));
    for (const problem of portNameProblems(String(port))) errors.push(invalid(`${at}.port`, port, problem));
  } else if (endPort !== undefined) errors.push(invalid(`${at}.endPort`, endPort, 'may not be specified when `port` is not specified'));
}

function peerErrors(peer: Peer, at: string, errors: FieldError[]): void {
  const { podSelector, namespaceSelector, ipBlock } = peer;
  labelSelectorErrors(podSelector, `${at}.podSelector`, errors);
  labelSelectorErrors(namespaceSelector, `${at}.namespaceSelector`, errors);
  if (!podSelector && !namespaceSelector && !ipBlock) errors.push(required(at, 'must specify a peer'));
  else if (ipBlock && (podSelector || namespaceSelector)) errors.push(forbidden(at, 'may not specify both ipBlock and another peer'));
  if (!ipBlock) return;
  if (!ipBlock.cidr) {
    errors.push(required(`${at}.ipBlock.cidr`));
    return;
  }
  errors.push(...legacyCidrErrors(`${at}.ipBlock.cidr`, ipBlock.cidr));
  const whole = parseCidr(ipBlock.cidr);
  eachAt(ipBlock.except, `${at}.ipBlock.except`, (text, each) => {
    const problems = legacyCidrErrors(each, text);
    errors.push(...problems);
    const part = parseCidr(text);
    if (problems.length || !whole || !part) return;
    const prefix = parseCidr(`${text.slice(0, text.indexOf('/'))}/${Math.min(whole.prefixBits, part.network.length * 8)}`);
    if (part.prefixBits <= whole.prefixBits || String(prefix?.network) !== String(whole.network))
      errors.push(invalid(each, text, 'must be a strict subset of `cidr`'));
  });
}

function policyWarnings({ spec }: NetworkPolicy): string[] {
  const ofPeers = (peers: readonly Peer[] | undefined, at: string) =>
    (peers ?? []).flatMap(({ ipBlock }, i) =>
      ipBlock
        ? [
            ...cidrWarnings(ipBlock.cidr, `${at}[${i}].ipBlock.cidr`),
            ...(ipBlock.except ?? []).flatMap((range, j) => cidrWarnings(range, `${at}[${i}].ipBlock.except[${j}]`)),
          ]
        : [],
    );
  return [
    ...(spec?.ingress ?? []).flatMap(({ from }, i) => ofPeers(from, `spec.ingress[${i}].from`)),
    ...(spec?.egress ?? []).flatMap(({ to }, i) => ofPeers(to, `spec.egress[${i}].to`)),
  ];
}

export const networkPolicyResource = serve(networkPolicies, {
  defaults: defaultNetworkPolicy,
  beforeCreate: startGeneration,
  beforeUpdate: bumpGeneration,
  validate: validateNetworkPolicy,
  warningsOf: policyWarnings,
  columns: [nameColumn(), text('Pod-Selector', 'The pods it speaks of.', ({ spec }) => selectorText(spec?.podSelector)), ageColumn()],
});
