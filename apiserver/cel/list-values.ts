// Lists whose schema says more of them than their order: sets, and lists that are maps by some of their items' fields. They are arrays;
// how they compare and what they become when something is added differs (x-kubernetes-list-type).

import { areEqual } from './equality.ts';
import { mapOf } from './map-values.ts';

/** Equal to any list with the same items, in whatever order; what is there already is not added. */
export class SetList extends Array<unknown> {
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  equals(other: unknown): boolean {
    if (!Array.isArray(other) || other.length !== this.length) return false;
    return other.every((item) => holds(this, item)) && this.every((item) => holds(other, item));
  }
}

const holds = (list: readonly unknown[], wanted: unknown) => list.some((item) => areEqual(item, wanted));

/** Equal to any list with equal items under the same keys; what is added replaces the item of its keys. */
export class MapList extends Array<unknown> {
  keys_: readonly string[] = [];

  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  /** `keys`: the fields' names as expressions write them. */
  static keyedBy(keys: readonly string[], items: readonly unknown[]): MapList {
    const list = new MapList();
    list.keys_ = keys;
    for (const item of items) list.push(item);
    return list;
  }

  isSameItem(a: unknown, b: unknown): boolean {
    const [left, right] = [mapOf(a), mapOf(b)];
    if (!left || !right) return false;
    return this.keys_.every((key) => areEqual(left.find(key)?.value, right.find(key)?.value));
  }

  equals(other: unknown): boolean {
    if (!Array.isArray(other) || other.length !== this.length) return false;
    return other.every((item) => {
      const own = this.find((each) => this.isSameItem(each, item));
      return own !== undefined && areEqual(own, item);
    });
  }
}

/** `list + more`. */
export function addToList(list: readonly unknown[], more: readonly unknown[]): unknown[] {
  if (list instanceof SetList) {
    const all = new SetList();
    for (const item of list) all.push(item);
    for (const item of more) if (!holds(all, item)) all.push(item);
    return all;
  }
  if (list instanceof MapList) {
    const all = MapList.keyedBy(list.keys_, list);
    for (const item of more) {
      const at = all.findIndex((each) => all.isSameItem(each, item));
      if (at === -1) all.push(item);
      else all[at] = item;
    }
    return all;
  }
  return [...list, ...more];
}
