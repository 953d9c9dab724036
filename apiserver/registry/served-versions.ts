// The versions of a served kind, for those who compare an object in several of them: custom resources have the ones of
// their definition, served or not; built-in kinds those that share one place in the store.

import { apiVersionOf, type Kind } from '../../api/kind.ts';
import type { KubeObject } from '../../api/wire.ts';
import { type KindVersions, onlyVersion } from '../apply/kind-versions.ts';
import { defaultObject } from '../resources/defaulted.ts';
import type { StoredVersions } from '../resources/resource.ts';
import type { ResourceTable, Served } from './resource-table.ts';

export function versionsOf(served: Served, resources: Pick<ResourceTable, 'find'>): KindVersions {
  const { declaration, kind, schema } = served;
  const apiVersion = apiVersionOf(kind);
  if (declaration.versions) return customVersions(served, declaration.versions);
  if (declaration.isCustom) return onlyVersion(apiVersion, schema);
  const find = (asked: string): Served | undefined => {
    if (asked === apiVersion) return served;
    const [version = '', group = ''] = asked.split('/').reverse();
    const other = resources.find(group, version, kind.plural);
    return other?.registry.codec.storagePrefix === served.registry.codec.storagePrefix ? other : undefined;
  };
  return {
    apiVersion,
    schema,
    schemaOf: (asked) => find(asked)?.schema,
    convert: async (object, asked) => converted(object, find(object.apiVersion ?? apiVersion) ?? served, find(asked) ?? served),
  };
}

function customVersions({ kind, schema }: Served, { schemaOf, convert }: StoredVersions): KindVersions {
  const apiVersion = apiVersionOf(kind);
  return {
    apiVersion,
    schema,
    schemaOf: (asked) => (asked === apiVersion ? schema : schemaOf(asked)),
    async convert(object, asked) {
      if (!convert) return { ...object, apiVersion: asked };
      const [result] = await convert([object], asked);
      return result ?? object;
    },
  };
}

/** By way of what is stored. */
function converted(object: KubeObject, from: Served, to: Served): KubeObject {
  const own = structuredClone(object);
  const stored = from.declaration.storage?.encode?.(own) ?? own;
  const result = to.declaration.storage?.decode?.(stored) ?? stored;
  result.kind = to.kind.kind;
  result.apiVersion = apiVersionOf(to.kind);
  defaultObject(to.declaration, result);
  return result;
}

/** The other versions and groups that the same objects are served in, with the subresource. */
export function equivalentsOf(resources: ResourceTable, kind: Kind, subresource: string): Kind[] {
  const own = resources.ofKind(kind);
  if (!own) return [];
  return neighbours(resources, own.registry.codec.storagePrefix)
    .filter((each) => each !== own && hasSubresource(each, subresource))
    .map((each) => each.kind);
}

const byPrefix = new WeakMap<ResourceTable, { generation: number; served: Map<string, Served[]> }>();

function neighbours(resources: ResourceTable, storagePrefix: string): Served[] {
  let known = byPrefix.get(resources);
  if (known?.generation !== resources.generation) {
    known = { generation: resources.generation, served: Map.groupBy(resources.all, (each) => each.registry.codec.storagePrefix) };
    byPrefix.set(resources, known);
  }
  return known.served.get(storagePrefix) ?? [];
}

function hasSubresource({ declaration }: Served, subresource: string): boolean {
  if (subresource === '') return true;
  if (subresource === 'status') return declaration.status !== undefined;
  if (subresource === 'scale') return declaration.scale !== undefined;
  return declaration.subresources?.[subresource] !== undefined;
}
