// Changing an object under admission in place.

import type { KubeObject } from '../../api/wire.ts';

/** Makes `object` what `patched` is. The registry and the plug-ins that follow hold on to the object and to its metadata. */
export function replaceObject(object: KubeObject, patched: KubeObject): void {
  if (object === patched) return;
  const meta = object.metadata;
  for (const key of Object.keys(object)) delete (object as Record<string, unknown>)[key];
  Object.assign(object, patched);
  if (!meta || !patched.metadata) return;
  for (const key of Object.keys(meta)) delete (meta as Record<string, unknown>)[key];
  object.metadata = Object.assign(meta, patched.metadata);
}
