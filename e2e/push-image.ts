// Pushes an OCI archive to a registry over its HTTP API: what `docker push` would do, for scenarios.
//
//   node e2e/push-image.ts ARCHIVE http://[USER:PASSWORD@]HOST:PORT REPOSITORY:TAG

import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { extract } from 'tar-stream';

interface Descriptor {
  digest: string;
  mediaType: string;
}

const [archive = '', registry = '', image = ''] = process.argv.slice(2);
const { origin, username, password } = new URL(registry);
const [repository = '', tag = ''] = image.split(':');
const headers: Record<string, string> = username
  ? { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }
  : {};

const files = await readArchive(archive);
const index = JSON.parse(fileOf('index.json').toString()) as { manifests: Descriptor[] };
const [top] = index.manifests;
if (!top) throw new Error(`${archive} names no image`);
const manifest = JSON.parse(blobOf(top).toString()) as { config: Descriptor; layers: Descriptor[] };
for (const blob of [manifest.config, ...manifest.layers]) await pushBlob(blob);
await expectStatus(
  201,
  await fetch(`${origin}/v2/${repository}/manifests/${tag}`, {
    method: 'PUT',
    headers: { ...headers, 'content-type': top.mediaType },
    body: new Uint8Array(blobOf(top)),
  }),
);
console.log(`pushed ${image}`);

async function pushBlob(blob: Descriptor): Promise<void> {
  const begun = await fetch(`${origin}/v2/${repository}/blobs/uploads/`, { method: 'POST', headers });
  await expectStatus(202, begun);
  const location = new URL(begun.headers.get('location') ?? '', origin);
  location.searchParams.set('digest', blob.digest);
  await expectStatus(
    201,
    await fetch(location, {
      method: 'PUT',
      headers: { ...headers, 'content-type': 'application/octet-stream' },
      body: new Uint8Array(blobOf(blob)),
    }),
  );
}

async function expectStatus(status: number, response: Response): Promise<void> {
  if (response.status !== status) throw new Error(`${response.url}: ${response.status} ${await response.text()}`);
}

function blobOf({ digest }: Descriptor): Buffer {
  return fileOf(`blobs/${digest.replace(':', '/')}`);
}

function fileOf(name: string): Buffer {
  const content = files.get(name);
  if (!content) throw new Error(`${archive} has no ${name}`);
  return content;
}

async function readArchive(file: string): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  const reader = extract();
  const reading = (async () => {
    for await (const entry of reader) {
      const chunks: Buffer[] = [];
      for await (const chunk of entry) chunks.push(chunk as Buffer);
      found.set(entry.header.name.replace(/^\.\//, ''), Buffer.concat(chunks));
    }
  })();
  Readable.from([readFileSync(file)]).pipe(reader);
  await reading;
  return found;
}
