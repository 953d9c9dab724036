// Reads the model declarations that client-node carries: each model's attributeTypeMap (names, types, formats) from its
// .js, and which attributes are optional and every description from its .d.ts.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Attribute {
  /** As on the wire. */
  name: string;
  /** In the generator's TypeScript words: `Array<V1Pod>`, `{ [key: string]: string; }`. */
  type: string;
  format: string;
  required: boolean;
  description: string;
}

export interface Model {
  description: string;
  attributes: Attribute[];
}

interface TypeMapEntry {
  name: string;
  baseName: string;
  type: string;
  format: string;
}

const typeMapPattern = /attributeTypeMap = (\[[\s\S]*?\n\]|\[\]);/;
/** A doc comment, if there is one, and the attribute it stands before. */
const attributePattern = /(?:^ {4}\/\*\*\n((?: {4}\*.*\n)+?) {4}\*\/\n)?^ {4}'(\w+)'(\??): /gm;
const classPattern = /\/\*\*\n((?:\*.*\n)+?)\*\/\nexport declare class /;

/** Every model in `folder`, by its class's name. @throws when a file does not look as expected */
export function readDeclarations(folder: string): Map<string, Model> {
  const models = new Map<string, Model>();
  for (const file of readdirSync(folder)) {
    if (!file.endsWith('.js') || file === 'all.js' || file === 'ObjectSerializer.js') continue;
    const name = file.slice(0, -'.js'.length);
    const typeMap = typeMapPattern.exec(readFileSync(join(folder, file), 'utf8'))?.[1];
    if (!typeMap) throw new Error(`${file}: no attributeTypeMap: has client-node's generator changed?`);
    models.set(name, readModel(JSON.parse(typeMap) as TypeMapEntry[], readFileSync(join(folder, `${name}.d.ts`), 'utf8')));
  }
  return models;
}

function readModel(typeMap: TypeMapEntry[], declaration: string): Model {
  const declared = new Map<string, { required: boolean; description: string }>();
  for (const [, comment, name, optional] of declaration.matchAll(attributePattern)) {
    declared.set(name!, { required: optional === '', description: commentText(comment ?? '') });
  }
  return {
    description: commentText(classPattern.exec(declaration)?.[1] ?? ''),
    attributes: typeMap.map((entry) => {
      const found = declared.get(entry.name);
      if (!found) throw new Error(`attribute ${entry.name} is not declared`);
      return { name: entry.baseName, type: entry.type, format: entry.format, ...found };
    }),
  };
}

function commentText(comment: string): string {
  return comment
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''))
    .join('\n')
    .trim()
    .replace(/\\(['"\\])/g, '$1');
}
