// events.k8s.io/v1: the events of core/v1 under newer names, written by stricter rules.

import { type CoreEvent, type EventsEvent, eventsV1 } from '../../api/core.ts';
import { type FieldError, invalid, required } from '../../api/field-error.ts';
import { immutableErrors } from '../../api/validation/object-meta.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import type { KubeObject } from '../../api/wire.ts';
import { eventResource, validateEvent } from './events.ts';
import { serve } from './resource.ts';

const componentField = 'reportingController';

/** Names in events.k8s.io/v1 of fields in core/v1. */
const renamed = {
  regarding: 'involvedObject',
  note: 'message',
  reportingController: 'reportingComponent',
  deprecatedSource: 'source',
  deprecatedFirstTimestamp: 'firstTimestamp',
  deprecatedLastTimestamp: 'lastTimestamp',
  deprecatedCount: 'count',
} as const;
const toNew: Readonly<Record<string, string>> = Object.fromEntries(Object.entries(renamed).map(([now, before]) => [before, now]));
const toOld: Readonly<Record<string, string>> = renamed;

function withNames(object: object, names: Readonly<Record<string, string>>): object {
  return Object.fromEntries(Object.entries(object).map(([field, value]) => [names[field] ?? field, value]));
}

/** As core/v1 has it; takes the object over. */
export function toCoreEvent(event: EventsEvent | KubeObject): CoreEvent {
  const core = withNames(event, toOld) as CoreEvent;
  core.apiVersion = 'v1';
  core.involvedObject ??= {};
  return core;
}

/** Of an event in core/v1's form, which it takes over. */
export const fromCoreEvent = (event: KubeObject): EventsEvent => withNames(event, toNew) as EventsEvent;

function seriesErrors({ series }: EventsEvent): FieldError[] {
  if (!series) return [];
  return [
    ...((series.count ?? 0) < 2 ? [invalid('series.count', '', 'should be at least 2')] : []),
    ...(series.lastObservedTime ? [] : [required('series.lastObservedTime')]),
  ];
}

function validateNew(event: EventsEvent): FieldError[] {
  const core = toCoreEvent(event);
  const errors = [...validateEvent(core, componentField), ...seriesErrors(event)];
  if (!event.eventTime) errors.push(required('eventTime'));
  if (event.type !== 'Normal' && event.type !== 'Warning') errors.push(invalid('type', '', `has invalid value: ${event.type ?? ''}`));
  for (const field of ['firstTimestamp', 'lastTimestamp', 'count'] as const)
    if (core[field]) errors.push(invalid(field, '', 'needs to be unset'));
  if (core.source?.component || core.source?.host) errors.push(invalid('source', '', 'needs to be unset'));
  return errors;
}

/** What happened cannot become something else; only how often it did is told anew. In the order of Kubernetes, by core's names. */
const immutableFields = [
  'involvedObject',
  'reason',
  'message',
  'source',
  'firstTimestamp',
  'lastTimestamp',
  'count',
  'type',
  'eventTime',
  'action',
  'related',
  'reportingComponent',
  'reportingInstance',
] as const;

function validateChanged(event: EventsEvent, old: EventsEvent): FieldError[] {
  const [core, oldCore] = [toCoreEvent(event), toCoreEvent(old)];
  return [
    ...validateEvent(core, componentField),
    ...(semanticEqual(event.series, old.series) ? [] : seriesErrors(event)),
    ...immutableFields.flatMap((field) =>
      immutableErrors(field === 'reportingComponent' ? componentField : field, core[field], oldCore[field]),
    ),
  ];
}

export const eventV1Resource = serve<EventsEvent>(eventsV1, {
  fields: {
    'regarding.kind': ({ regarding }) => regarding?.kind ?? '',
    'regarding.namespace': ({ regarding }) => regarding?.namespace ?? '',
    'regarding.name': ({ regarding }) => regarding?.name ?? '',
    'regarding.uid': ({ regarding }) => regarding?.uid ?? '',
    'regarding.apiVersion': ({ regarding }) => regarding?.apiVersion ?? '',
    'regarding.resourceVersion': ({ regarding }) => regarding?.resourceVersion ?? '',
    'regarding.fieldPath': ({ regarding }) => regarding?.fieldPath ?? '',
    reason: ({ reason }) => reason ?? '',
    reportingController: ({ reportingController }) => reportingController ?? '',
    type: ({ type }) => type ?? '',
  },
  validate: validateNew,
  validateUpdate: validateChanged,
  allowCreateOnUpdate: true,
  storage: { group: '', plural: 'events', decode: fromCoreEvent, encode: toCoreEvent },
  columns: eventResource.columns.map((column) => ({ ...column, cell: (event, nowMs) => column.cell(toCoreEvent(event), nowMs) })),
});
