import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counter, Gauge, Histogram } from 'prom-client';
import { goFloat, MetricsRegistry } from './registry.ts';

const withoutCounts = (text: string) => text.replace(/^.*(registered|hidden|disabled)_metrics_total.*\n/gm, '');

test('families are sorted, carry their stability, and are left out while they have no series', async () => {
  const registry = new MetricsRegistry();
  const registers = [registry];
  new Gauge({ name: 'workqueue_depth', help: 'Current\ndepth', labelNames: ['name', 'a'], registers }).set({ name: 'x"\\\n', a: 'y' }, 1e6);
  new Counter({ name: 'scheduler_pending_pods', help: 'Pods', labelNames: ['queue'], registers });
  new Histogram({ name: 'made_up_seconds', help: 'Seconds', buckets: [1e-6, 0.5, 1e6], registers }).observe(2);
  assert.equal(
    withoutCounts(await registry.render()),
    [
      '# HELP made_up_seconds [ALPHA] Seconds',
      '# TYPE made_up_seconds histogram',
      'made_up_seconds_bucket{le="1e-06"} 0',
      'made_up_seconds_bucket{le="0.5"} 0',
      'made_up_seconds_bucket{le="1e+06"} 1',
      'made_up_seconds_bucket{le="+Inf"} 1',
      'made_up_seconds_sum 2',
      'made_up_seconds_count 1',
      '# HELP workqueue_depth [BETA] Current\\ndepth',
      '# TYPE workqueue_depth gauge',
      'workqueue_depth{a="y",name="x\\"\\\\\\n"} 1e+06',
      '',
    ].join('\n'),
  );
});

test('metrics that are disabled are not shown but counted, and values that are not allowed are taken together', async () => {
  const allowedLabels = new Map([['served_total', new Map([['verb', new Set(['GET'])]])]]);
  const registry = new MetricsRegistry({ disabled: ['secret_total'], allowedLabels });
  const registers = [registry];
  new Counter({ name: 'secret_total', help: 'x', registers }).inc();
  const served = new Counter({ name: 'served_total', help: 'x', labelNames: ['verb', 'code'], registers });
  for (const verb of ['GET', 'PUT', 'POST']) served.inc({ verb, code: '200' });
  const text = await registry.render();
  assert.equal(text.includes('secret_total'), false);
  assert.match(text, /^disabled_metrics_total 1$/m);
  assert.deepEqual(text.match(/^served_total.*$/gm), [
    'served_total{code="200",verb="GET"} 1',
    'served_total{code="200",verb="unexpected"} 2',
  ]);
});

test('numbers are written as Go writes them', () => {
  const written = [0, 1, 0.005, 1e-4, 0.00001, 2.5e-7, 262_144, 1_048_576, 1e21, -3e7, Number.POSITIVE_INFINITY].map(goFloat);
  assert.deepEqual(written, ['0', '1', '0.005', '0.0001', '1e-05', '2.5e-07', '262144', '1.048576e+06', '1e+21', '-3e+07', '+Inf']);
});
