// Where service addresses are routed: to a device of this machine, so that a service address for which there is no rule
// (yet) dies here and never leaves by the default route. An `unreachable` route would not do: a local connect is routed
// before it is translated.

import type { Log } from '../base/log.ts';
import { fingerprint } from './difference.ts';
import { run } from './nft.ts';

export interface ServiceRouteOptions {
  clusterName: string;
  serviceCidr: string;
  nodeAddresses: readonly string[];
  log: Log;
  within?: readonly string[];
}

/** Makes the device when it is missing and routes the service range to it. @throws when the machine cannot do it */
export async function claimServiceCidr(options: ServiceRouteOptions): Promise<void> {
  const { within = [], serviceCidr } = options;
  const device = deviceName(options.clusterName);
  if ((await run(['ip', 'link', 'show', 'dev', device], { within })).code !== 0) {
    const made = await run(['ip', 'link', 'add', device, 'type', 'dummy'], { within });
    // A bridge without ports is as good a dead end, and kernels without dummy have it.
    if (made.code !== 0) await must(['ip', 'link', 'add', device, 'type', 'bridge'], within);
  }
  await must(['ip', 'link', 'set', device, 'up'], within);
  const source = options.nodeAddresses.find((address) => !address.startsWith('127.'));
  const route = ['ip', 'route', 'replace', serviceCidr, 'dev', device, 'scope', 'link'];
  await must(source ? [...route, 'src', source] : route, within);
}

/** The route goes with its device. */
export async function releaseServiceCidr({ clusterName, within = [] }: ServiceRouteOptions): Promise<void> {
  await run(['ip', 'link', 'del', deviceName(clusterName)], { within });
}

/** At most 15 characters, as the kernel has it. */
function deviceName(clusterName: string): string {
  return `t8s-${fingerprint(clusterName).slice(0, 8)}`;
}

async function must(command: readonly string[], within: readonly string[]): Promise<void> {
  const { code, stderr } = await run(command, { within });
  if (code !== 0) throw new Error(`${command.join(' ')}: ${stderr.trim()}`);
}
