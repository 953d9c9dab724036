// What the columns of many kinds share: names, ages, and the way Kubernetes' printers write lists and selectors.

import type { PodTemplateSpec } from '../../api/core.ts';
import { formatSelector, type LabelSelector, SelectorError, selectorOf } from '../../api/labels.ts';
import type { KubeObject } from '../../api/wire.ts';
import type { Column } from './resource.ts';

/** The first column of every table. */
export function nameColumn<T extends KubeObject>(): Column<T> {
  return { ...text<T>('Name', 'Name of the object, unique within its namespace.', (o) => o.metadata?.name ?? ''), format: 'name' };
}

/** How long ago the object was created. */
export function ageColumn<T extends KubeObject>(): Column<T> {
  return text<T>('Age', 'Time since the object was created.', (o, nowMs) => ageOf(o.metadata?.creationTimestamp, nowMs));
}

/** A column of text. */
export function text<T extends KubeObject>(
  name: string,
  description: string,
  cell: (object: T, nowMs: number) => string,
  priority = 0,
): Column<T> {
  return { name, type: 'string', description, priority, cell };
}

/** A column shown only with `-o wide`. */
export function wide<T extends KubeObject>(name: string, description: string, cell: (object: T, nowMs: number) => string): Column<T> {
  return text(name, description, cell, 1);
}

/** A column of whole numbers; what is left out is 0. */
export function integer<T extends KubeObject>(name: string, description: string, cell: (object: T) => number | undefined): Column<T> {
  return { name, type: 'integer', description, priority: 0, cell: (object) => cell(object) ?? 0 };
}

/** `5m`, or `<unknown>` when there is no time. */
export function ageOf(timestamp: string | undefined | null, nowMs: number): string {
  return timestamp ? humanDuration(nowMs - Date.parse(timestamp)) : '<unknown>';
}

/** Two or three significant figures, as k8s.io/apimachinery/pkg/util/duration.HumanDuration writes them. */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes < 10) return withRest(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(minutes / 60);
  if (hours < 8) return withRest(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  if (days < 8) return withRest(days, 'd', hours % 24, 'h');
  if (days < 365 * 2) return `${days}d`;
  if (days < 365 * 8) return withRest(Math.trunc(days / 365), 'y', days % 365, 'd');
  return `${Math.trunc(days / 365)}y`;
}

const withRest = (count: number, unit: string, rest: number, restUnit: string) =>
  rest === 0 ? `${count}${unit}` : `${count}${unit}${rest}${restUnit}`;

/** `a=b,c=d`, sorted by key; `<none>` when empty. */
export function labelsText(labels: Readonly<Record<string, string>> | undefined): string {
  const texts = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return texts.length ? texts.sort().join(',') : '<none>';
}

/** A LabelSelector in its string form; `<none>` when it selects everything or nothing, `<error>` when it cannot be read. */
export function selectorText(selector: LabelSelector | undefined): string {
  try {
    const requirements = selectorOf(selector);
    return requirements?.length ? formatSelector(requirements) : '<none>';
  } catch (error) {
    if (error instanceof SelectorError) return '<error>';
    throw error;
  }
}

/** The Containers and Images columns of kinds with a pod template, shown with `-o wide`. */
export function templateColumns<T extends KubeObject>(templateOf: (object: T) => PodTemplateSpec | undefined): Column<T>[] {
  const each = (object: T, field: 'name' | 'image') => (templateOf(object)?.spec?.containers ?? []).map((c) => c[field] ?? '').join(',');
  return [
    wide('Containers', 'Names of the containers in the template.', (object) => each(object, 'name')),
    wide('Images', 'Images of the containers in the template.', (object) => each(object, 'image')),
  ];
}
