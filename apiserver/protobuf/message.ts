// Messages taken from the table when they are first asked for: how an object's fields are written, as protobuf and as JSON.

import { messageTable } from './messages.ts';

/** What stands in one field, one item of a list or one value of a map. */
export type FieldType =
  | 'string'
  | 'int'
  | 'bool'
  | 'double'
  /** base64 in JSON. */
  | 'bytes'
  /** A message around a string. */
  | 'quantity'
  /** RFC 3339 in JSON, a message of seconds and nanoseconds here. */
  | 'time'
  | 'microTime'
  | 'intOrString'
  /** Any JSON; a message around its text. */
  | 'json'
  /** A list of strings in JSON, a message around it here. */
  | 'strings'
  | 'schemaOrBool'
  | 'schemaOrArray'
  | 'schemaOrStrings'
  | 'message';

export interface Field {
  /** In JSON; '' when the message's fields stand in the owner's own object. */
  readonly name: string;
  readonly number: number;
  readonly repeats: '' | '[]' | '{}';
  readonly type: FieldType;
  /** What JSON has of the field when it holds nothing; '': no list or map that is empty, anything else only when it is there. */
  readonly whenEmpty: '' | 'omitted' | 'zero' | 'null';
  /** Of type `message`, and of the schema types. */
  readonly message: Message | undefined;
}

const scalarTypes = new Set<string>(['string', 'int', 'bool', 'double', 'bytes', 'quantity', 'time', 'microTime', 'intOrString']);
const specialTypes = new Set<string>([...scalarTypes, 'json', 'strings', 'schemaOrBool', 'schemaOrArray', 'schemaOrStrings']);

/** One message; its fields are read on first use, which is also what lets messages refer to themselves. */
export class Message {
  readonly name: string;
  readonly #package: string;
  readonly #text: string;
  #named: ReadonlyMap<string, Field> | undefined;
  #numbered: readonly (Field | undefined)[] | undefined;
  #inlined: readonly Field[] | undefined;
  #declared: readonly Field[] | undefined;

  constructor(packageName: string, name: string, text: string) {
    this.#package = packageName;
    this.name = name;
    this.#text = text;
  }

  /** Fields by their JSON name, without those of inlined messages. */
  get named(): ReadonlyMap<string, Field> {
    if (!this.#named) this.#read();
    return this.#named as ReadonlyMap<string, Field>;
  }

  get numbered(): readonly (Field | undefined)[] {
    if (!this.#numbered) this.#read();
    return this.#numbered as readonly (Field | undefined)[];
  }

  /** Fields without a name of their own in JSON. */
  get inlined(): readonly Field[] {
    if (!this.#inlined) this.#read();
    return this.#inlined as readonly Field[];
  }

  /** All fields in declared order. */
  get declared(): readonly Field[] {
    if (!this.#declared) this.#read();
    return this.#declared as readonly Field[];
  }

  /** Whether raw JSON within is what Go made of parsed values, with sorted keys, rather than what somebody sent. */
  get sortsRawJson(): boolean {
    return this.#package.includes('apiextensions');
  }

  #read(): void {
    const fields = this.#text === '' ? [] : this.#text.split(' ').map((text) => readField(text, this.#package));
    const numbered: (Field | undefined)[] = [];
    for (const field of fields) numbered[field.number] = field;
    this.#declared = fields;
    this.#numbered = numbered;
    this.#inlined = fields.filter((field) => field.name === '');
    this.#named = new Map(fields.filter((field) => field.name !== '').map((field) => [field.name, field]));
  }
}

const fieldPattern = /^([^=]*)=(\d+)(?::(\[\]|\{\})?([\w/.]+))?([?!*])?$/;
const emptiness: Readonly<Record<string, Field['whenEmpty']>> = { '?': 'omitted', '!': 'zero', '*': 'null' };

function readField(text: string, packageName: string): Field {
  const match = fieldPattern.exec(text);
  if (!match) throw new Error(`a field of the message table cannot be read: ${text}`);
  const [, name = '', number, repeats = '', typeName = 'string', mark = ''] = match;
  const isSpecial = specialTypes.has(typeName);
  const type = isSpecial ? typeName : 'message';
  let message: Message | undefined;
  if (!isSpecial) message = referred(typeName, packageName);
  else if (typeName.startsWith('schema')) message = referred('JSONSchemaProps', packageName);
  return {
    name,
    number: Number(number),
    repeats: repeats as Field['repeats'],
    type: type as FieldType,
    whenEmpty: emptiness[mark] ?? '',
    message,
  };
}

let messages: Map<string, Message> | undefined;
/** `core/v1` to the package's whole name. */
const packages = new Map<string, string>();

/** The message of a definition by its OpenAPI name (`io.k8s.api.core.v1.Pod`), if it has one. */
export function messageOf(definition: string): Message | undefined {
  messages ??= readTable();
  return messages.get(definition);
}

function referred(name: string, packageName: string): Message {
  const at = name.lastIndexOf('.');
  const prefix = name.slice(0, Math.max(0, at));
  const home = at < 0 ? packageName : packages.get(prefix === 'meta' ? 'meta/v1' : prefix);
  const message = messageOf(`${home}.${name.slice(at + 1)}`);
  if (!message) throw new Error(`the message table has no ${name}, which ${packageName} refers to`);
  return message;
}

function readTable(): Map<string, Message> {
  const read = new Map<string, Message>();
  let packageName = '';
  for (const line of messageTable.split('\n')) {
    if (!line.startsWith('  ')) {
      packageName = line;
      packages.set(line.split('.').slice(-2).join('/'), line);
      continue;
    }
    const end = line.indexOf(' ', 2);
    const name = end < 0 ? line.slice(2) : line.slice(2, end);
    read.set(`${packageName}.${name}`, new Message(packageName, name, end < 0 ? '' : line.slice(end + 1)));
  }
  return read;
}

/** Every message's definition name. */
export function messageNames(): string[] {
  messages ??= readTable();
  return [...messages.keys()];
}
