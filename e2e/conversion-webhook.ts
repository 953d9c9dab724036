// A conversion webhook for scenarios: `spec.cronSpec` of version v1 is `spec.schedule` of v2.
//
//   node e2e/conversion-webhook.ts CERTIFICATE KEY PORT

import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

interface CronTab {
  apiVersion: string;
  spec?: { cronSpec?: string; schedule?: string };
}
interface Review {
  kind: string;
  apiVersion: string;
  request: { uid: string; desiredAPIVersion: string; objects: CronTab[] };
}

const [certificate = '', key = '', port = ''] = process.argv.slice(2);

function convert(object: CronTab, apiVersion: string): CronTab {
  const { cronSpec, schedule, ...spec } = object.spec ?? {};
  const text = cronSpec ?? schedule ?? '';
  return { ...object, apiVersion, spec: { ...spec, ...(apiVersion.endsWith('/v1') ? { cronSpec: text } : { schedule: text }) } };
}

createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { kind, apiVersion, request: asked } = JSON.parse(Buffer.concat(chunks).toString()) as Review;
    const convertedObjects = asked.objects.map((object) => convert(object, asked.desiredAPIVersion));
    response.end(JSON.stringify({ kind, apiVersion, response: { uid: asked.uid, convertedObjects, result: { status: 'Success' } } }));
  });
}).listen(Number(port), '127.0.0.1');
