// ResourceSlice: devices that a driver offers, on a node or on several.

import { duplicate, type FieldError, forbidden, invalid, required, tooLong, tooMany } from '../../api/field-error.ts';
import { compareQuantities } from '../../api/quantity.ts';
import { type ResourceSlice, resourceSlices } from '../../api/resource.ts';
import { eachAt } from '../../api/validation/each.ts';
import {
  cIdentifierProblems,
  dns1123LabelProblems,
  dns1123SubdomainProblems,
  labelValueProblems,
  qualifiedNameProblems,
} from '../../api/validation/formats.ts';
import { immutableErrors } from '../../api/validation/object-meta.ts';
import { ageColumn, nameColumn, text } from './columns.ts';
import { driverErrors, uniqueErrors } from './device-claims.ts';
import { bumpGeneration, startGeneration } from './generation.ts';
import { nodeSelectorErrors } from './pod-scheduling.ts';
import { serve } from './resource.ts';

type Spec = NonNullable<ResourceSlice['spec']>;
type Device = NonNullable<Spec['devices']>[number];
type Attribute = NonNullable<Device['attributes']>[string];
type Capacity = NonNullable<Device['capacity']>[string];

const devicesMax = 128;
/** With taints, counters or attributes that are lists. */
const elaborateDevicesMax = 64;
const attributesAndCapacitiesMax = 32;
const attributeValuesMax = 48;
const attributeBytesMax = 64;
const identifierMax = 32;
const taintsMax = 16;
const conditionsMax = 4;
const counterSetsMax = 8;
const countersMax = 32;
const consumptionsMax = 2;
const valuesMax = 10;
const semanticVersion =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$/;

function validateSlice({ spec }: ResourceSlice): FieldError[] {
  if (!spec) return [required('spec')];
  const errors: FieldError[] = [];
  driverErrors(spec.driver, 'spec.driver', errors);
  poolErrors(spec.pool, errors);
  const which = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required';
  selectionErrors(spec, { at: 'spec', which, inDevice: false }, errors);
  if (spec.perDeviceNodeSelection === false)
    errors.push(invalid('spec.perDeviceNodeSelection', false, 'must be either unset or set to true'));
  const { devices, sharedCounters } = spec;
  if (devices && sharedCounters) errors.push(invalid('spec', '', 'only one of `sharedCounters` or `devices` is allowed'));
  const max = devices?.some(isElaborate) ? elaborateDevicesMax : devicesMax;
  if (devices && devices.length > max) errors.push(tooMany('spec.devices', devices.length, max));
  uniqueErrors(devices ?? [], 'spec.devices', errors);
  eachAt(devices, 'spec.devices', (device, at) => deviceErrors(device, spec.perDeviceNodeSelection ?? false, at, errors));
  if (sharedCounters && sharedCounters.length > counterSetsMax)
    errors.push(tooMany('spec.sharedCounters', sharedCounters.length, counterSetsMax));
  uniqueErrors(sharedCounters ?? [], 'spec.sharedCounters', errors);
  eachAt(sharedCounters, 'spec.sharedCounters', ({ name, counters }, at) => {
    labelErrors(name, `${at}.name`, errors);
    counterErrors(counters, `${at}.counters`, errors);
  });
  return errors;
}

function poolErrors({ name, generation, resourceSliceCount }: Spec['pool'], errors: FieldError[]): void {
  if (!name) errors.push(required('spec.pool.name'));
  else
    for (const part of name.split('/'))
      for (const problem of dns1123SubdomainProblems(part)) errors.push(invalid('spec.pool.name', part, problem));
  if (!(resourceSliceCount > 0)) errors.push(invalid('spec.pool.resourceSliceCount', resourceSliceCount ?? 0, 'must be greater than zero'));
  if (generation < 0) errors.push(invalid('spec.pool.generation', generation, 'must be greater than or equal to zero'));
}

interface Selection extends Pick<Spec, 'nodeName' | 'nodeSelector' | 'allNodes' | 'perDeviceNodeSelection'> {}

/** Which nodes reach the devices: said in exactly one way, by the slice or by each device. */
function selectionErrors(
  selection: Selection,
  { at, which, inDevice }: { at: string; which: string; inDevice: boolean },
  errors: FieldError[],
): void {
  const { nodeName, nodeSelector, allNodes, perDeviceNodeSelection } = selection;
  if (nodeName === '')
    errors.push(invalid(`${at}.nodeName`, '', inDevice ? 'must not be empty' : 'must be either unset or set to a non-empty string'));
  for (const problem of nodeName ? dns1123SubdomainProblems(nodeName) : []) errors.push(invalid(`${at}.nodeName`, nodeName, problem));
  if (nodeSelector) nodeSelectorErrors(nodeSelector, `${at}.nodeSelector`, errors);
  if (nodeSelector && !inDevice && nodeSelector.nodeSelectorTerms.length !== 1) {
    const terms = nodeSelector.nodeSelectorTerms;
    errors.push(invalid(`${at}.nodeSelector.nodeSelectorTerms`, terms, 'must have exactly one node selector term'));
  }
  if (allNodes === false) errors.push(invalid(`${at}.allNodes`, false, 'must be either unset or set to true'));
  const chosen = Object.entries({ nodeName, nodeSelector, allNodes, perDeviceNodeSelection }).flatMap(([name, value]) =>
    value ? [name] : [],
  );
  const names = `{${chosen.map((name) => `\`${name}\``).join(', ')}}`;
  if (chosen.length === 0) errors.push(required(at, which));
  if (chosen.length > 1) errors.push(invalid(at, names, inDevice ? which : `${which}, but multiple fields are set`));
}

const listsOf = ({ bools, ints, strings, versions }: Attribute) => Object.entries({ bools, ints, strings, versions });

function isElaborate({ taints, consumesCounters, attributes }: Device): boolean {
  const hasLists = Object.values(attributes ?? {}).some((attribute) => listsOf(attribute).some(([, list]) => list));
  return hasLists || (taints?.length ?? 0) > 0 || (consumesCounters?.length ?? 0) > 0;
}

function deviceErrors(device: Device, selectsNodes: boolean, at: string, errors: FieldError[]): void {
  labelErrors(device.name, `${at}.name`, errors);
  const attributes = Object.entries(device.attributes ?? {});
  const capacities = Object.entries(device.capacity ?? {});
  const count = attributes.length + capacities.length;
  if (count > attributesAndCapacitiesMax)
    errors.push(invalid(at, count, `the total number of attributes and capacities must not exceed ${attributesAndCapacitiesMax}`));
  const values = attributes.reduce((sum, [, each]) => sum + (listsOf(each).reduce((n, [, list]) => n + (list?.length ?? 0), 0) || 1), 0);
  if (values > attributeValuesMax)
    errors.push(invalid(at, values, `the total number of attribute values must not exceed ${attributeValuesMax}`));
  for (const [name, attribute] of attributes) {
    const each = `${at}.attributes[${name}]`;
    nameErrors(name, each, errors);
    attributeErrors(attribute, each, errors);
  }
  for (const [name, capacity] of capacities) {
    const each = `${at}.capacity[${name}]`;
    nameErrors(name, each, errors);
    if (capacity.requestPolicy && !device.allowMultipleAllocations)
      errors.push(forbidden(`${each}.requestPolicy`, 'allowMultipleAllocations must be true'));
    else policyErrors(capacity, `${each}.requestPolicy`, errors);
  }
  taintErrors(device.taints, `${at}.taints`, errors);
  consumptionErrors(device.consumesCounters, `${at}.consumesCounters`, errors);
  const { nodeName, nodeSelector, allNodes } = device;
  const names = '`nodeName`, `nodeSelector`';
  const where = 'is set to true in the ResourceSlice spec';
  if (selectsNodes) {
    const which = `exactly one of ${names}, or \`allNodes\` is required when \`perDeviceNodeSelection\` ${where}`;
    selectionErrors(device, { at, which, inDevice: true }, errors);
  } else if (nodeName !== undefined || nodeSelector || allNodes !== undefined)
    errors.push(invalid(at, null, `${names} and \`allNodes\` can only be set if \`perDeviceNodeSelection\` ${where}`));
  for (const field of ['bindingConditions', 'bindingFailureConditions'] as const) {
    const list = device[field] ?? [];
    if (list.length > conditionsMax) errors.push(tooMany(`${at}.${field}`, list.length, conditionsMax));
    eachAt(list, `${at}.${field}`, (condition, each) => {
      for (const problem of qualifiedNameProblems(condition)) errors.push(invalid(each, condition, problem));
    });
  }
}

function labelErrors(name: string | undefined, at: string, errors: FieldError[]): void {
  if (!name) errors.push(required(at));
  else for (const problem of dns1123LabelProblems(name)) errors.push(invalid(at, name, problem));
}

/** `model`, or `dra.example.com/model`. */
function nameErrors(name: string, at: string, errors: FieldError[]): void {
  const parts = name.split('/');
  if (parts.length > 2) errors.push(invalid(at, name, 'must not contain more than one slash'));
  const [id = '', domain] = parts.slice(0, 2).reverse();
  if (domain === '') errors.push(invalid(at, '', 'the domain must not be empty'));
  else if (domain !== undefined) driverErrors(domain, at, errors);
  if (id === '' && domain !== undefined) errors.push(invalid(at, '', 'the name must not be empty'));
  else {
    if (id.length > identifierMax) errors.push(tooLong(at, identifierMax));
    for (const problem of cIdentifierProblems(id)) errors.push(invalid(at, id, problem));
  }
}

function attributeErrors(attribute: Attribute, at: string, errors: FieldError[]): void {
  const { bool, int, string, version, strings, versions } = attribute;
  const lists = listsOf(attribute).filter(([, list]) => list !== undefined);
  for (const [name, list] of lists) if (list?.length === 0) errors.push(invalid(`${at}.${name}`, list, 'must not be empty if specified'));
  const checkText = (value: string, where: string) => {
    if (Buffer.byteLength(value) > attributeBytesMax) errors.push(tooLong(where, attributeBytesMax));
  };
  const checkVersion = (value: string, where: string) => {
    if (!semanticVersion.test(value)) errors.push(invalid(where, value, 'must be a string compatible with semver.org spec 2.0.0'));
    checkText(value, where);
  };
  if (string !== undefined) checkText(string, `${at}.string`);
  if (version !== undefined) checkVersion(version, `${at}.version`);
  eachAt(strings, `${at}.strings`, checkText);
  eachAt(versions, `${at}.versions`, checkVersion);
  const given = [bool, int, string, version].filter((value) => value !== undefined).length + lists.length;
  if (given !== 1) errors.push(invalid(at, given === 0 ? '' : attribute, 'exactly one value must be specified'));
}

/** What may be asked of a capacity that several share. */
function policyErrors({ value, requestPolicy: policy }: Capacity, at: string, errors: FieldError[]): void {
  if (!policy) return;
  const { validValues = [], validRange } = policy;
  const fallback = policy.default;
  if (validValues.length && validRange) {
    const why = 'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time';
    errors.push(forbidden(at, why));
  } else if (fallback === undefined) {
    if (validValues.length) errors.push(required(`${at}.default`, 'required when validValues is defined'));
    if (validRange) errors.push(required(`${at}.default`, 'required when validRange is defined'));
  } else if (validValues.length) {
    if (validValues.length > valuesMax) errors.push(tooMany(`${at}.validValues`, validValues.length, valuesMax));
    validValues.forEach((each, i) => {
      const where = `${at}.validValues[${i}]`;
      const before = validValues[i - 1];
      if (before !== undefined && compareQuantities(before, each) > 0)
        errors.push(invalid(where, each, 'values must be sorted in ascending order'));
      if (before !== undefined && compareQuantities(before, each) === 0) errors.push(duplicate(where, each));
      if (compareQuantities(each, value) > 0) errors.push(invalid(where, each, `option is larger than capacity value: ${value}`));
    });
    if (!validValues.some((each) => compareQuantities(each, fallback) === 0))
      errors.push(invalid(`${at}.validValues`, fallback, 'default value is not valid according to the requestPolicy'));
  } else if (validRange) rangeErrors({ fallback, value, range: validRange }, `${at}.validRange`, errors);
}

function rangeErrors(
  { fallback, value, range: { min, max } }: { fallback: string; value: string; range: { min: string; max?: string } },
  at: string,
  errors: FieldError[],
): void {
  if (!min) {
    errors.push(required(`${at}.min`, 'required when validRange is defined'));
    return;
  }
  const compare = (a: string, b: string, field: string, [bad, why]: [string, string]) => {
    if (compareQuantities(a, b) > 0) errors.push(invalid(`${at}.${field}`, bad, why));
  };
  compare(min, value, 'min', [min, `min is larger than capacity value: ${value}`]);
  compare(min, fallback, 'default', [fallback, `default is less than min: ${min}`]);
  if (max === undefined) return;
  compare(min, max, 'max', [min, `min is larger than max: ${max}`]);
  compare(max, value, 'max', [max, `max is larger than capacity value: ${value}`]);
  compare(fallback, max, 'default', [fallback, `default is more than max: ${max}`]);
}

function taintErrors(taints: Device['taints'], at: string, errors: FieldError[]): void {
  if (taints && taints.length > taintsMax) errors.push(tooMany(at, taints.length, taintsMax));
  eachAt(taints, at, ({ key, value = '', effect }, each) => {
    for (const problem of qualifiedNameProblems(key ?? '')) errors.push(invalid(`${each}.key`, key ?? '', problem));
    for (const problem of labelValueProblems(value)) errors.push(invalid(`${each}.value`, value, problem));
    if (!effect) errors.push(required(`${each}.effect`));
  });
}

function consumptionErrors(consumptions: Device['consumesCounters'], at: string, errors: FieldError[]): void {
  if (consumptions && consumptions.length > consumptionsMax) errors.push(tooMany(at, consumptions.length, consumptionsMax));
  const named = (consumptions ?? []).map(({ counterSet }) => ({ name: counterSet }));
  uniqueErrors(named, at, errors);
  eachAt(consumptions, at, ({ counterSet, counters }, each) => {
    labelErrors(counterSet, `${each}.counterSet`, errors);
    counterErrors(counters, `${each}.counters`, errors);
  });
}

function counterErrors(counters: Record<string, unknown> | undefined, at: string, errors: FieldError[]): void {
  const names = Object.keys(counters ?? {});
  if (names.length === 0) errors.push(required(at));
  if (names.length > countersMax) errors.push(tooMany(at, names.length, countersMax));
  for (const name of names) for (const problem of dns1123LabelProblems(name)) errors.push(invalid(at, name, problem));
}

export const resourceSliceResource = serve(resourceSlices, {
  returnsDeletedObject: true,
  fields: { 'spec.nodeName': ({ spec }) => spec?.nodeName ?? '', 'spec.driver': ({ spec }) => spec?.driver ?? '' },
  beforeCreate: startGeneration,
  beforeUpdate: bumpGeneration,
  validate: validateSlice,
  validateUpdate: (slice, old) => [
    ...validateSlice(slice),
    ...immutableErrors('spec.driver', slice.spec?.driver, old.spec?.driver),
    ...immutableErrors('spec.pool.name', slice.spec?.pool.name, old.spec?.pool.name),
    ...immutableErrors('spec.nodeName', slice.spec?.nodeName ?? '', old.spec?.nodeName ?? ''),
  ],
  columns: [
    nameColumn(),
    text('Node', 'The node that has the devices.', ({ spec }) => spec?.nodeName ?? '<unset>'),
    text('Driver', 'Who looks after them.', ({ spec }) => spec?.driver ?? ''),
    text('Pool', 'The pool they belong to.', ({ spec }) => spec?.pool.name ?? ''),
    ageColumn(),
  ],
});
