// Schedules of cron jobs in the five-field form and its descriptors, read as github.com/robfig/cron reads them,
// with its words for what is wrong.

/** A schedule that cannot be read. */
export class ScheduleError extends Error {
  override name = 'ScheduleError';
}

/** The times of day and days that match, or a fixed interval. */
export type Schedule =
  | {
      readonly minutes: ReadonlySet<number>;
      readonly hours: ReadonlySet<number>;
      readonly daysOfMonth: ReadonlySet<number>;
      readonly months: ReadonlySet<number>;
      /** Sunday is 0. */
      readonly daysOfWeek: ReadonlySet<number>;
      /** A day must match both lists when either is a star, else one of them is enough. */
      readonly needsBothDays: boolean;
    }
  | { readonly everySeconds: number };

interface Bounds {
  min: number;
  max: number;
  names?: readonly string[];
}

const minutes: Bounds = { min: 0, max: 59 };
const hours: Bounds = { min: 0, max: 23 };
const daysOfMonth: Bounds = { min: 1, max: 31 };
const months: Bounds = { min: 1, max: 12, names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'] };
const daysOfWeek: Bounds = { min: 0, max: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] };

const descriptors: Record<string, string> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/**
 * Reads `*\/5 0-6 * jan-mar mon`, `@daily`, `@every 1h30m`.
 * @throws ScheduleError
 */
export function parseSchedule(text: string): Schedule {
  if (text === '') throw new ScheduleError('empty spec string');
  if (text.startsWith('@every ')) return { everySeconds: parseInterval(text) };
  if (text.startsWith('@') && !descriptors[text]) throw new ScheduleError(`unrecognized descriptor: ${text}`);
  const fields = (descriptors[text] ?? text).trim().split(/\s+/);
  if (fields.length !== 5) throw new ScheduleError(`expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`);
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = fields;
  return {
    minutes: parseField(minute, minutes),
    hours: parseField(hour, hours),
    daysOfMonth: parseField(day, daysOfMonth),
    months: parseField(month, months),
    daysOfWeek: parseField(weekday, daysOfWeek),
    needsBothDays: isStar(day) || isStar(weekday),
  };
}

const isStar = (field: string) => field.split(',').some((part) => /^[*?](\/1)?$/.test(part));
const unitSeconds: Record<string, number> = { ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 };

function parseInterval(text: string): number {
  const duration = text.slice('@every '.length);
  if (!/^(\d+(\.\d*)?(ns|us|µs|ms|s|m|h))+$/.test(duration))
    throw new ScheduleError(`failed to parse duration ${text}: time: invalid duration ${JSON.stringify(duration)}`);
  let seconds = 0;
  for (const [, amount, unit] of duration.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g))
    seconds += Number(amount) * (unitSeconds[unit as string] as number);
  return Math.max(1, Math.floor(seconds));
}

function parseField(field: string, bounds: Bounds): Set<number> {
  const values = new Set<number>();
  for (const part of field.split(',').filter((piece) => piece !== '')) addRange(part, bounds, values);
  return values;
}

function addRange(part: string, bounds: Bounds, values: Set<number>): void {
  const [range = '', stepText, ...moreSteps] = part.split('/');
  const [low = '', high, ...moreEnds] = range.split('-');
  let start = bounds.min;
  let end = bounds.max;
  if (low !== '*' && low !== '?') {
    start = parseNumber(low, bounds);
    end = high === undefined ? start : parseNumber(high, bounds);
    if (moreEnds.length) throw new ScheduleError(`too many hyphens: ${part}`);
  }
  if (moreSteps.length) throw new ScheduleError(`too many slashes: ${part}`);
  const step = stepText === undefined ? 1 : parseNumber(stepText, { min: 0, max: Number.MAX_SAFE_INTEGER });
  // `5/15` means from 5 to the end.
  if (stepText !== undefined && high === undefined && low !== '*' && low !== '?') end = bounds.max;
  if (start < bounds.min) throw new ScheduleError(`beginning of range (${start}) below minimum (${bounds.min}): ${part}`);
  if (end > bounds.max) throw new ScheduleError(`end of range (${end}) above maximum (${bounds.max}): ${part}`);
  if (start > end) throw new ScheduleError(`beginning of range (${start}) beyond end of range (${end}): ${part}`);
  if (step === 0) throw new ScheduleError(`step of range should be a positive number: ${part}`);
  for (let value = start; value <= end; value += step) values.add(value);
}

function parseNumber(text: string, { min, names }: Bounds): number {
  const named = names?.indexOf(text.toLowerCase()) ?? -1;
  if (named !== -1) return named + min;
  if (!/^[+-]?\d+$/.test(text))
    throw new ScheduleError(`failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  const value = Number(text);
  if (value < 0) throw new ScheduleError(`negative number (${value}) not allowed: ${text}`);
  return value;
}
