// Events of core/v1: what was observed about an object. The newer events.k8s.io fields follow stricter rules when
// eventTime is set; events.k8s.io/v1 serves the same stored objects.

import { type CoreEvent, events } from '../../api/core.ts';
import { type FieldError, invalid, required } from '../../api/field-error.ts';
import { dns1123LabelProblems, qualifiedNameProblems } from '../../api/validation/formats.ts';
import { immutableErrors } from '../../api/validation/object-meta.ts';
import { ageOf, nameColumn, text, wide } from './columns.ts';
import { serve } from './resource.ts';

/** The scope of an event's object: cluster-scoped objects' events live in `default`, or in a node's case anywhere older. */
function legacyErrors(event: CoreEvent, errors: FieldError[]): void {
  const namespace = event.metadata?.namespace ?? '';
  const involved = event.involvedObject?.namespace ?? '';
  if (involved === '') {
    if (namespace !== '' && namespace !== 'default')
      errors.push(invalid('involvedObject.namespace', involved, 'does not match event.namespace'));
  } else if (involved !== namespace) errors.push(invalid('involvedObject.namespace', involved, 'does not match event.namespace'));
  for (const problem of dns1123LabelProblems(namespace)) errors.push(invalid('namespace', namespace, problem));
}

/** With eventTime: the rules of events.k8s.io. */
function strictErrors(event: CoreEvent, errors: FieldError[]): void {
  if (!event.reportingComponent) errors.push(required('reportingController'));
  else
    for (const problem of qualifiedNameProblems(event.reportingComponent))
      errors.push(invalid('reportingController', event.reportingComponent, problem));
  if (!event.reportingInstance) errors.push(required('reportingInstance'));
  else if (Buffer.byteLength(event.reportingInstance) > 128)
    errors.push(invalid('reportingInstance', '', 'can have at most 128 characters'));
  if (!event.action) errors.push(required('action'));
  else if (Buffer.byteLength(event.action) > 128) errors.push(invalid('action', '', 'can have at most 128 characters'));
  if (!event.reason) errors.push(required('reason'));
  else if (Buffer.byteLength(event.reason) > 128) errors.push(invalid('reason', '', 'can have at most 128 characters'));
  if (Buffer.byteLength(event.message ?? '') > 1024) errors.push(invalid('message', '', 'can have at most 1024 characters'));
}

export function validateEvent(event: CoreEvent): FieldError[] {
  const errors: FieldError[] = [];
  legacyErrors(event, errors);
  if (event.eventTime) strictErrors(event, errors);
  return errors;
}

const immutableFields = [
  'involvedObject',
  'reason',
  'message',
  'type',
  'source',
  'firstTimestamp',
  'action',
  'related',
  'reportingComponent',
] as const;

export function validateEventUpdate(event: CoreEvent, old: CoreEvent): FieldError[] {
  const errors = validateEvent(event);
  if (!event.eventTime && !old.eventTime) return errors;
  errors.push(...immutableErrors('eventTime', event.eventTime, old.eventTime));
  for (const field of immutableFields) {
    const name = field === 'reportingComponent' ? 'reportingController' : field;
    errors.push(...immutableErrors(name, event[field], old[field]));
  }
  return errors;
}

const secondsSince = (timestamp: string | undefined, nowMs: number) => ageOf(timestamp, nowMs);

function firstSeen(event: CoreEvent, nowMs: number): string {
  return secondsSince(event.firstTimestamp ?? event.eventTime, nowMs);
}

function lastSeen(event: CoreEvent, nowMs: number): string {
  if (event.series) return secondsSince(event.series.lastObservedTime, nowMs);
  return event.lastTimestamp ? secondsSince(event.lastTimestamp, nowMs) : firstSeen(event, nowMs);
}

function sourceText(event: CoreEvent): string {
  const component = event.source?.component || event.reportingComponent || '';
  const host = event.source?.host || event.reportingInstance || '';
  return host ? `${component}, ${host}` : component;
}

function countText(event: CoreEvent): number {
  return event.series?.count || event.count || 1;
}

export const eventResource = serve(events, {
  fields: {
    'involvedObject.kind': (event) => event.involvedObject?.kind ?? '',
    'involvedObject.namespace': (event) => event.involvedObject?.namespace ?? '',
    'involvedObject.name': (event) => event.involvedObject?.name ?? '',
    'involvedObject.uid': (event) => event.involvedObject?.uid ?? '',
    'involvedObject.apiVersion': (event) => event.involvedObject?.apiVersion ?? '',
    'involvedObject.resourceVersion': (event) => event.involvedObject?.resourceVersion ?? '',
    'involvedObject.fieldPath': (event) => event.involvedObject?.fieldPath ?? '',
    reason: (event) => event.reason ?? '',
    reportingComponent: (event) => event.reportingComponent ?? '',
    source: (event) => event.source?.component || event.reportingComponent || '',
    type: (event) => event.type ?? '',
  },
  validate: validateEvent,
  validateUpdate: validateEventUpdate,
  allowCreateOnUpdate: true,
  columns: [
    text('Last Seen', 'Time since the event was last observed.', lastSeen),
    text('Type', 'Normal or Warning.', (event) => event.type ?? ''),
    text('Reason', 'Why the event was written, in one word.', (event) => event.reason ?? ''),
    text('Object', 'What the event is about.', (event) =>
      event.involvedObject?.name
        ? `${(event.involvedObject.kind ?? '').toLowerCase()}/${event.involvedObject.name}`
        : (event.involvedObject?.kind ?? '').toLowerCase(),
    ),
    wide('Subobject', 'The part of the object that the event is about.', (event) => event.involvedObject?.fieldPath ?? ''),
    wide('Source', 'Who wrote the event.', sourceText),
    text('Message', 'What happened.', (event) => (event.message ?? '').trim()),
    wide('First Seen', 'Time since the event was first observed.', firstSeen),
    { ...wide('Count', 'How often the event was observed.', () => ''), cell: countText },
    { ...wide<CoreEvent>('Name', 'Name of the event.', () => ''), ...nameColumn<CoreEvent>(), priority: 1 },
  ],
});
