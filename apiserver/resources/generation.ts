// metadata.generation: 1 when an object is created, one more whenever what is asked for changes.

import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import type { KubeObject } from '../../api/wire.ts';

/** For beforeCreate. */
export function startGeneration(object: KubeObject): void {
  object.metadata ??= {};
  object.metadata.generation = 1;
}

/** For beforeUpdate: carries the generation over, one higher when the specs differ. */
export function bumpGeneration<T extends KubeObject & { spec?: unknown }>(object: T, old: T): void {
  object.metadata ??= {};
  const generation = old.metadata?.generation ?? 0;
  const next = semanticEqual(object.spec, old.spec) ? generation : generation + 1;
  if (next) object.metadata.generation = next;
}

/** What a write of the status may not touch of an object's metadata. */
export function keepMetadata(object: KubeObject, old: KubeObject): void {
  object.metadata ??= {};
  for (const field of ['labels', 'annotations', 'finalizers', 'ownerReferences'] as const) keep(object.metadata, old.metadata ?? {}, field);
}

/** Gives `object` the `field` of `old`, or none when `old` has none. */
export function keep<T, K extends keyof T>(object: T, old: T, field: K): void {
  if (old[field] === undefined) delete object[field];
  else object[field] = old[field];
}
