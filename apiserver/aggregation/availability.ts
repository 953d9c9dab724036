// Whether the service behind an API service can be reached (k8s.io/kube-aggregator/pkg/controllers/status): pure but for
// the last step, asking it for its discovery document.

import type { ApiService } from '../../api/apiregistration.ts';
import type { Service } from '../../api/core.ts';
import type { EndpointSlice } from '../../api/discovery.ts';

export interface Availability {
  status: 'True' | 'False';
  reason: string;
  message: string;
}

const not = (reason: string, message: string): Availability => ({ status: 'False', reason, message });

export const passed: Availability = { status: 'True', reason: 'Passed', message: 'all checks passed' };
export const local: Availability = { status: 'True', reason: 'Local', message: 'Local APIServices are always available' };
export const failedDiscovery = (message: string): Availability => not('FailedDiscoveryCheck', message);

/** What is wrong before anything is asked; undefined: nothing. */
export function unreachable(
  { spec }: ApiService,
  service: Service | undefined,
  slices: readonly EndpointSlice[],
): Availability | undefined {
  const { namespace = '', name = '', port = 443 } = spec?.service ?? {};
  const subject = `service/${name} in "${namespace}"`;
  if (!service) return not('ServiceNotFound', `${subject} is not present`);
  if ((service.spec?.type ?? 'ClusterIP') !== 'ClusterIP') return undefined;
  const servicePort = service.spec?.ports?.find((each) => each.port === port);
  if (!servicePort) return not('ServicePortError', `${subject} is not listening on port ${port}`);
  if (slices.length === 0) return not('EndpointsNotFound', `cannot find endpointslices for ${subject}`);
  const portName = servicePort.name ?? '';
  const isServing = slices.some(
    ({ endpoints, ports }) =>
      endpoints?.some(({ conditions }) => conditions?.ready !== false) &&
      ports?.some((each) => (each.name ?? '') === portName && each.port),
  );
  return isServing ? undefined : not('MissingEndpoints', `endpointslices for ${subject} have no addresses with port name "${portName}"`);
}
