// `scale`: sets the number of replicas through the scale subresource.

import { type KubectlContext, KubectlError } from '../context.ts';
import { displayName, parseTargets } from '../targets.ts';

export interface ScaleOptions {
  replicas?: string;
  currentReplicas?: string;
}

export async function scale(args: readonly string[], options: ScaleOptions, context: KubectlContext): Promise<void> {
  const replicas = Number(options.replicas);
  if (options.replicas === undefined || !Number.isInteger(replicas) || replicas < 0)
    throw new KubectlError('The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0');
  for (const { kind, name } of parseTargets(args, context.discovery)) {
    if (name === undefined) throw new KubectlError('a name is required to scale a resource');
    if (!kind.subresources.includes('scale'))
      throw new KubectlError(`the server cannot scale ${kind.plural}: they have no scale subresource`);
    const at = { namespace: context.namespace, name };
    if (options.currentReplicas !== undefined) {
      const current = (await context.client.get(kind, at, 'scale')) as { spec?: { replicas?: number } };
      if ((current.spec?.replicas ?? 0) !== Number(options.currentReplicas)) {
        throw new KubectlError(`Expected replicas to be ${options.currentReplicas}, was ${current.spec?.replicas ?? 0}`);
      }
    }
    await context.client.patch(kind, at, 'merge', { spec: { replicas } }, { subresource: 'scale' });
    context.io.out.write(`${displayName(kind, name)} scaled\n`);
  }
}
