// Priority levels: how much of the server's concurrency the requests of a kind may have, and how they wait for it.

import { type FieldError, forbidden, invalid, notSupported, required } from '../../api/field-error.ts';
import { type PriorityLevelConfiguration, priorityLevelConfigurations } from '../../api/flowcontrol.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import { ageColumn, nameColumn, text } from './columns.ts';
import { mandatoryPriorityLevels } from './flowcontrol-bootstrap.ts';
import { bumpGeneration, keep, keepMetadata, startGeneration } from './generation.ts';
import { serve } from './resource.ts';

type Spec = NonNullable<PriorityLevelConfiguration['spec']>;
type Limited = NonNullable<Spec['limited']>;
type Queuing = NonNullable<NonNullable<Limited['limitResponse']>['queuing']>;

const queuesMax = 10_000_000;
/** Of the hash that deals a flow's hand of queues; a hand that needs more is not dealt evenly. */
const entropyBitsMax = 60;

function queuingErrors({ queues = 0, handSize = 0, queueLengthLimit = 0 }: Queuing, at: string, errors: FieldError[]): void {
  if (queueLengthLimit <= 0) errors.push(invalid(`${at}.queueLengthLimit`, queueLengthLimit, 'must be positive'));
  if (queues <= 0) errors.push(invalid(`${at}.queues`, queues, 'must be positive'));
  else if (queues > queuesMax) errors.push(invalid(`${at}.queues`, queues, `must not be greater than ${queuesMax}`));
  if (handSize <= 0) errors.push(invalid(`${at}.handSize`, handSize, 'must be positive'));
  else if (handSize > queues) errors.push(invalid(`${at}.handSize`, handSize, `should not be greater than queues (${queues})`));
  else if (entropyBits(queues, handSize) > entropyBitsMax)
    errors.push(
      invalid(
        `${at}.handSize`,
        handSize,
        `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${entropyBitsMax}`,
      ),
    );
}

function entropyBits(queues: number, handSize: number): number {
  let bits = 0;
  for (let i = 0; i < handSize && bits <= entropyBitsMax; i++) bits += Math.log2(queues - i);
  return Math.ceil(bits);
}

function sharesErrors(part: { nominalConcurrencyShares?: number; lendablePercent?: number }, at: string, errors: FieldError[]): void {
  const { nominalConcurrencyShares: shares, lendablePercent: lendable } = part;
  if (shares !== undefined && shares < 0) errors.push(invalid(`${at}.nominalConcurrencyShares`, shares, 'must be a non-negative integer'));
  if (lendable !== undefined && (lendable < 0 || lendable > 100))
    errors.push(invalid(`${at}.lendablePercent`, lendable, 'must be between 0 and 100, inclusive'));
}

function limitedErrors(limited: Limited, errors: FieldError[]): void {
  const at = 'spec.limited';
  sharesErrors(limited, at, errors);
  const { borrowingLimitPercent: borrowing, limitResponse } = limited;
  if (borrowing !== undefined && borrowing < 0)
    errors.push(invalid(`${at}.borrowingLimitPercent`, borrowing, 'if specified, must be a non-negative integer'));
  const { type, queuing } = limitResponse ?? { type: '' };
  const queuingAt = `${at}.limitResponse.queuing`;
  if (type === 'Reject') {
    if (queuing) errors.push(forbidden(queuingAt, 'must be nil if limited.limitResponse.type is not Limited'));
  } else if (type === 'Queue') {
    if (queuing) queuingErrors(queuing, queuingAt, errors);
    else errors.push(required(queuingAt, 'must not be empty if limited.limitResponse.type is Limited'));
  } else errors.push(notSupported(`${at}.limitResponse.type`, type, ['Queue', 'Reject']));
}

export function validatePriorityLevel({ metadata, spec }: PriorityLevelConfiguration): FieldError[] {
  const errors: FieldError[] = [];
  const name = metadata?.name ?? '';
  const { type = '', limited, exempt } = spec ?? {};
  if ((name === 'exempt') !== (type === 'Exempt'))
    errors.push(invalid('spec.type', type, "type must be 'Exempt' if and only if `name` is 'exempt'"));
  if (type === 'Exempt') {
    if (limited) errors.push(forbidden('spec.limited', 'must be nil if the type is not Limited'));
    if (exempt) sharesErrors(exempt, 'spec.exempt', errors);
  } else if (type === 'Limited') {
    if (exempt) errors.push(forbidden('spec.exempt', 'must be nil if the type is Limited'));
    if (limited) limitedErrors(limited, errors);
    else errors.push(required('spec.limited', 'must not be empty when type is Limited'));
  } else errors.push(notSupported('spec.type', type, ['Exempt', 'Limited']));
  const mandatory = mandatoryPriorityLevels.find((level) => level.metadata?.name === name);
  // The exempt level's shares may be changed; all of the catch-all's spec is fixed.
  if (mandatory && name !== 'exempt' && !semanticEqual(spec, mandatory.spec))
    errors.push(invalid('spec', spec, `spec of '${name}' must equal the fixed value`));
  return errors;
}

/** `<none>` where a level has no such thing. */
const orNone = (value: number | undefined) => (value === undefined ? '<none>' : String(value));
const queuingOf = ({ spec }: PriorityLevelConfiguration) => spec?.limited?.limitResponse?.queuing;

export const priorityLevelConfigurationResource = serve(priorityLevelConfigurations, {
  defaults({ spec }) {
    if (spec?.type === 'Exempt') {
      spec.exempt ??= {};
      spec.exempt.nominalConcurrencyShares ??= 0;
      spec.exempt.lendablePercent ??= 0;
    }
    const limited = spec?.limited;
    if (!limited) return;
    limited.nominalConcurrencyShares ??= 30;
    limited.lendablePercent ??= 0;
    const queuing = limited.limitResponse?.queuing;
    if (!queuing) return;
    queuing.queues ||= 64;
    queuing.handSize ||= 8;
    queuing.queueLengthLimit ||= 50;
  },
  beforeCreate(level) {
    startGeneration(level);
    level.status = {};
  },
  beforeUpdate(level, old) {
    keep(level, old, 'status');
    bumpGeneration(level, old);
  },
  validate: validatePriorityLevel,
  status: {
    resets: ['metadata', 'spec'],
    beforeUpdate(level, old) {
      keep(level, old, 'spec');
      keepMetadata(level, old);
    },
    validateUpdate: () => [],
  },
  columns: [
    nameColumn(),
    text('Type', 'Exempt or Limited.', ({ spec }) => spec?.type ?? ''),
    text('NominalConcurrencyShares', 'Its part of the concurrency.', ({ spec }) =>
      orNone((spec?.limited ?? spec?.exempt)?.nominalConcurrencyShares),
    ),
    text('Queues', 'How many queues it has.', (level) => orNone(queuingOf(level)?.queues)),
    text('HandSize', 'How many of them a flow may use.', (level) => orNone(queuingOf(level)?.handSize)),
    text('QueueLengthLimit', 'How many requests wait in each.', (level) => orNone(queuingOf(level)?.queueLengthLimit)),
    ageColumn(),
  ],
});
