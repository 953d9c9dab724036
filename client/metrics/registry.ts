// One component's metrics, and how they are written out: as Kubernetes' own endpoints do it, families in the order of
// their names, each with its stability, labels sorted, and no family without series.

import { Counter, type MetricObjectWithValues, type MetricValue, type MetricValueWithName, Registry } from 'prom-client';
import { stabilityOf } from './stability.ts';

export interface MetricsSettings {
  /** Families that are not shown. */
  disabled?: readonly string[] | undefined;
  /** Metric to label to the values that are told apart; all others are shown as `unexpected`. */
  allowedLabels?: ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>> | undefined;
}

export const metricsContentType = 'text/plain; version=0.0.4; charset=utf-8';

type Family = MetricObjectWithValues<MetricValue<string>>;

export class MetricsRegistry extends Registry {
  readonly #disabled: ReadonlySet<string>;
  readonly #allowedLabels: NonNullable<MetricsSettings['allowedLabels']>;

  /** `counts`: of the metrics themselves, as each component's main endpoint has them. */
  constructor({ disabled = [], allowedLabels = new Map() }: MetricsSettings = {}, { counts = true } = {}) {
    super();
    this.#disabled = new Set(disabled);
    this.#allowedLabels = allowedLabels;
    if (counts) this.#registerCounts();
  }

  /** What there is, whether or not it has series yet. */
  describe(): { name: string; labels: string[] }[] {
    return this.getMetricsAsArray().map((metric) => ({ name: metric.name, labels: labelNamesOf(metric) }));
  }

  /** Prometheus' text form of everything here. */
  async render(): Promise<string> {
    const shown = (await this.getMetricsAsJSON())
      .filter(({ name }) => !this.#disabled.has(name))
      .sort((a, b) => (a.name < b.name ? -1 : 1)) as Family[];
    return shown.map((family) => renderFamily(this.#withAllowedLabels(family))).join('');
  }

  #withAllowedLabels(family: Family): Family {
    const allowed = this.#allowedLabels.get(family.name);
    if (!allowed) return family;
    const sums = new Map<string, MetricValueWithName<string>>();
    for (const value of family.values as MetricValueWithName<string>[]) {
      const labels = Object.fromEntries(
        Object.entries(value.labels).map(([label, text]) => [
          label,
          allowed.get(label)?.has(String(text)) === false ? 'unexpected' : (text ?? ''),
        ]),
      );
      const key = `${value.metricName ?? ''} ${JSON.stringify(labels)}`;
      const known = sums.get(key);
      if (!known) sums.set(key, { ...value, labels });
      // Counters and buckets add up; of gauges that fall together the last one stands, as one set after the other.
      else known.value = String(family.type) === 'gauge' ? value.value : known.value + value.value;
    }
    return { ...family, values: [...sums.values()] };
  }

  #registerCounts(): void {
    const registers: Registry[] = [this];
    const all = () => this.getMetricsAsArray();
    new Counter({
      name: 'registered_metrics_total',
      help: 'The count of registered metrics broken by stability level and deprecation version.',
      labelNames: ['stability_level', 'deprecated_version'],
      registers,
      collect() {
        this.reset();
        for (const { name } of all()) {
          const level = stabilityOf(name);
          if (level) this.inc({ stability_level: level, deprecated_version: '' });
        }
      },
    });
    new Counter({ name: 'hidden_metrics_total', help: 'The count of hidden metrics.', registers });
    const disabled = new Counter({ name: 'disabled_metrics_total', help: 'The count of disabled metrics.', registers });
    disabled.inc(this.#disabled.size);
  }
}

/** prom-client keeps them, and does not say so in its types. */
function labelNamesOf(metric: object): string[] {
  return 'labelNames' in metric && Array.isArray(metric.labelNames) ? metric.labelNames.map(String) : [];
}

function renderFamily({ name, help, type, values }: Family): string {
  if (values.length === 0) return '';
  const level = stabilityOf(name);
  const lines = [`# HELP ${name} ${level && `[${level}] `}${escaped(help)}`, `# TYPE ${name} ${type}`];
  for (const value of values as MetricValueWithName<string>[]) {
    const labels = Object.entries(value.labels)
      .sort(([a], [b]) => Number(isBound(a)) - Number(isBound(b)) || (a < b ? -1 : 1))
      .map(
        ([label, text]) => `${label}="${typeof text === 'number' ? goFloat(text) : escaped(String(text ?? '')).replaceAll('"', '\\"')}"`,
      );
    lines.push(`${value.metricName ?? name}${labels.length ? `{${labels.join(',')}}` : ''} ${goFloat(value.value)}`);
  }
  return `${lines.join('\n')}\n`;
}

/** What tells a histogram's or a summary's own lines apart stands last. */
const isBound = (label: string) => label === 'le' || label === 'quantile';

const escaped = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

/** As Go writes floats: `1e-06`, `0.005`, `100000`, `1e+06`, `+Inf`. Bounds are label values, which dashboards compare as text. */
export function goFloat(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  const magnitude = Math.abs(value);
  if (magnitude === 0 || (magnitude >= 1e-4 && magnitude < 1e6) || Number.isNaN(value)) return String(value);
  const [digits, exponent = '+0'] = value.toExponential().split('e');
  return `${digits}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
}
