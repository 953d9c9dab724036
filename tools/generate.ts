// Generates what is compiled from other people's declarations rather than kept in the repository. Each output is skipped
// while the hash of its inputs is unchanged, so it costs nothing to run this before everything else.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { atomicObjects, fieldFacts, optionGroupVersions, packages, schemaless, unions, valueObjects } from '../apiserver/schema/facts.ts';
import { goTypes } from '../apiserver/schema/go-types.ts';
import { compileSchema } from './schema/compile.ts';
import { readDeclarations } from './schema/declarations.ts';

const root = dirname(import.meta.dirname);
const outputs = {
  models: join(root, 'apiserver/schema/models.generated.json'),
  descriptions: join(root, 'apiserver/schema/descriptions.generated.json'),
};

const clientNode = dirname(createRequire(import.meta.url).resolve('@kubernetes/client-node/package.json'));
const sources = [
  'tools/generate.ts',
  'tools/schema/compile.ts',
  'tools/schema/declarations.ts',
  'apiserver/schema/facts.ts',
  'apiserver/schema/go-types.ts',
];
const hash = createHash('sha256');
// The package's own manifest carries its version, and a published version never changes.
for (const file of [join(clientNode, 'package.json'), ...sources.map((source) => join(root, source))]) hash.update(readFileSync(file));
const inputs = hash.digest('hex');

if (isUpToDate()) {
  console.log('apiserver/schema/models.generated.json is up to date');
} else {
  const facts = { atomicObjects, fieldFacts, goTypes, optionGroupVersions, packages, schemaless, unions, valueObjects };
  const { models, descriptions } = compileSchema(readDeclarations(join(clientNode, 'dist/gen/models')), facts);
  writeFileSync(outputs.descriptions, JSON.stringify(descriptions));
  writeFileSync(outputs.models, JSON.stringify({ inputs, ...models }));
  console.log(`apiserver/schema/models.generated.json: ${models.names.length} definitions`);
}

function isUpToDate(): boolean {
  if (!existsSync(outputs.models) || !existsSync(outputs.descriptions)) return false;
  // The hash is the file's first property: enough to read its head.
  return readFileSync(outputs.models, 'utf8').startsWith(`{"inputs":"${inputs}"`);
}
