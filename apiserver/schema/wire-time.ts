// Moments on the wire: metav1.Time and MicroTime are read from any RFC 3339 form, kept in UTC, and refused in the words
// of Go's time.Parse.

const pattern = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?(Z|([+-])(\d{2}):(\d{2}))$/;
const canonicalSeconds = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/;
const canonicalMicros = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z$/;

const layouts = { time: '2006-01-02T15:04:05Z07:00', microTime: '2006-01-02T15:04:05.000000Z07:00' } as const;

/** The text is no moment; the message is Go's. */
export class TimeError extends Error {
  override name = 'TimeError';
}

/** The canonical form: UTC, whole seconds (`time`) or six digits of fraction (`microTime`). @throws TimeError */
export function canonicalTime(text: string, form: 'time' | 'microTime'): string {
  if ((form === 'time' ? canonicalSeconds : canonicalMicros).test(text)) return text;
  const layout = layouts[form];
  const match = pattern.exec(text);
  if (!match || (form === 'microTime' && match[7]?.length !== 6)) throw new TimeError(parseFailure(text, layout));
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [number, number, number, number, number, number];
  const range = outOfRange({ year, month, day, hour, minute, second });
  if (range) throw new TimeError(`parsing time ${JSON.stringify(text)}: ${range} out of range`);
  const offsetMinutes = match[8] === 'Z' ? 0 : (match[9] === '-' ? -1 : 1) * (Number(match[10]) * 60 + Number(match[11]));
  const utc = new Date(0);
  utc.setUTCFullYear(year, month - 1, day);
  utc.setUTCHours(hour, minute - offsetMinutes, second);
  const seconds = utc.toISOString().slice(0, -5);
  return form === 'time' ? `${seconds}Z` : `${seconds}.${match[7]}Z`;
}

type Parts = Record<'year' | 'month' | 'day' | 'hour' | 'minute' | 'second', number>;

function outOfRange({ year, month, day, hour, minute, second }: Parts): string | undefined {
  if (month < 1 || month > 12) return 'month';
  if (hour > 23) return 'hour';
  if (minute > 59) return 'minute';
  if (second > 59) return 'second';
  const days = month === 2 ? (year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
  return day < 1 || day > days ? 'day' : undefined;
}

/** Names the first element of the layout that the text does not have, and what it has there. */
function parseFailure(text: string, layout: string): string {
  const fraction: [string, RegExp][] = layout.includes('.000000') ? [['.000000', /^\.\d{6}/]] : [];
  const elements: [string, RegExp][] = [
    ['2006', /^\d{4}/],
    ['-', /^-/],
    ['01', /^\d{2}/],
    ['-', /^-/],
    ['02', /^\d{2}/],
    ['T', /^T/],
    ['15', /^\d{2}/],
    [':', /^:/],
    ['04', /^\d{2}/],
    [':', /^:/],
    ['05', fraction.length > 0 ? /^\d{2}/ : /^\d{2}(?:[.,]\d+)?/],
    ...fraction,
    ['Z07:00', /^(?:Z|[+-]\d{2}:\d{2})/],
  ];
  let rest = text;
  for (const [element, elementPattern] of elements) {
    const found = elementPattern.exec(rest);
    if (!found) return `parsing time ${JSON.stringify(text)} as "${layout}": cannot parse ${JSON.stringify(rest)} as "${element}"`;
    rest = rest.slice(found[0].length);
  }
  return `parsing time ${JSON.stringify(text)}: extra text: ${JSON.stringify(rest)}`;
}
