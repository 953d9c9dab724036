// Events of core/v1: what was observed about an object. The newer events.k8s.io fields follow stricter rules when
// eventTime is set; events.k8s.io/v1 serves the same stored objects.

import { type CoreEvent, events } from '../../api/core.ts';
import { type FieldError, invalid, required } from '../../api/field-error.ts';
import { dns1123SubdomainProblems, qualifiedNameProblems } from '../../api/validation/formats.ts';
import { ageOf, nameColumn, text, wide } from './columns.ts';
import { serve } from './resource.ts';

/** Without eventTime: an event lives where its object does, and in `default` for objects of no namespace. */
function namespaceErrors(event: CoreEvent, errors: FieldError[]): void {
  const namespace = event.metadata?.namespace ?? '';
  const involved = event.involvedObject?.namespace ?? '';
  const isFine = event.eventTime
    ? involved !== '' || namespace === 'default' || namespace === 'kube-system'
    : namespace === involved || (involved === '' && namespace === 'default');
  if (!isFine) errors.push(invalid('involvedObject.namespace', involved, 'does not match event.namespace'));
}

function lengthErrors(field: string, value: string | undefined, lengthMax: number, errors: FieldError[]): void {
  if (Buffer.byteLength(value ?? '') > lengthMax) errors.push(invalid(field, '', `can have at most ${lengthMax} characters`));
}

/** With eventTime: what events.k8s.io asks of a writer, whichever of the two versions it uses; they name one field differently. */
function writerErrors(event: CoreEvent, componentField: string, errors: FieldError[]): void {
  const { reportingComponent = '' } = event;
  if (!reportingComponent) errors.push(required(componentField));
  for (const problem of qualifiedNameProblems(reportingComponent)) errors.push(invalid(componentField, reportingComponent, problem));
  for (const field of ['reportingInstance', 'action', 'reason'] as const) {
    if (!event[field]) errors.push(required(field));
    lengthErrors(field, event[field], 128, errors);
  }
  lengthErrors('message', event.message, 1024, errors);
}

/** All that is asked of writers of core/v1, also of changes, and the least that is asked of those of events.k8s.io/v1. */
export function validateEvent(event: CoreEvent, componentField = 'reportingComponent'): FieldError[] {
  const errors: FieldError[] = [];
  namespaceErrors(event, errors);
  if (event.eventTime) writerErrors(event, componentField, errors);
  const namespace = event.metadata?.namespace ?? '';
  for (const problem of dns1123SubdomainProblems(namespace)) errors.push(invalid('namespace', namespace, problem));
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
  validate: (event) => validateEvent(event),
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
