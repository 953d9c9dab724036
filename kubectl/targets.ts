// The objects a command line names: `pods`, `pod a b`, `pod/a svc/b`, `po,svc`.

import { KubectlError } from './context.ts';
import type { DiscoveredKind, Discovery } from './discovery.ts';

export interface Target {
  kind: DiscoveredKind;
  /** undefined: all of them. */
  name: string | undefined;
}

/** @throws KubectlError */
export function parseTargets(args: readonly string[], discovery: Discovery): Target[] {
  const [first, ...names] = args;
  if (first === undefined) throw new KubectlError('You must specify the type of resource to get, or TYPE/NAME.');
  if (first.includes('/')) {
    return args.map((arg) => {
      const [type = '', name = '', extra] = arg.split('/');
      if (type === '' || name === '' || extra !== undefined)
        throw new KubectlError(`arguments in resource/name form must have a single resource and name, got ${JSON.stringify(arg)}`);
      return { kind: discovery.resolve(type), name };
    });
  }
  if (names.some((name) => name.includes('/')))
    throw new KubectlError(
      'there is no need to specify a resource type as a separate argument when passing arguments in resource/name form',
    );
  const kinds = first.split(',').flatMap((type) => {
    const category = discovery.category(type);
    return category.length > 0 ? category : [discovery.resolve(type)];
  });
  if (names.length > 0 && kinds.length > 1) return kinds.flatMap((kind) => names.map((name) => ({ kind, name })));
  return names.length > 0
    ? names.map((name) => ({ kind: kinds[0] as DiscoveredKind, name }))
    : kinds.map((kind) => ({ kind, name: undefined }));
}

/** `pod/web` or `deployment.apps/web`, as kubectl names what it did something to. */
export function displayName(kind: DiscoveredKind, name: string): string {
  return `${kind.singular}${kind.group ? `.${kind.group}` : ''}/${name}`;
}
