// As much of DER (X.690) as certificate requests need: elements, their content, and what is inside of it.

export interface Element {
  /** The identifier octet: class, form and number. */
  tag: number;
  /** Header and content. */
  whole: Buffer;
  content: Buffer;
}

/** The element that begins at `at`. @throws Error when none does, or it reaches beyond the end */
export function elementAt(bytes: Buffer, at = 0): Element {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) throw new Error('asn1: syntax error: truncated tag or length');
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  const begin = at + 2 + lengthBytes;
  if (first === 0x80 || lengthBytes > 4 || begin > bytes.length) throw new Error('asn1: syntax error: invalid length');
  const length = lengthBytes ? bytes.readUIntBE(at + 2, lengthBytes) : first;
  if (begin + length > bytes.length) throw new Error('asn1: syntax error: data truncated');
  return { tag, whole: bytes.subarray(at, begin + length), content: bytes.subarray(begin, begin + length) };
}

/** The elements inside of a sequence, a set or a constructed context tag. @throws Error */
export function elementsIn({ content }: Element): Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < content.length; ) {
    const element = elementAt(content, at);
    elements.push(element);
    at += element.whole.length;
  }
  return elements;
}

const bmpString = 0x1e;

/** A string of any of ASN.1's kinds that names are written in. */
export function textOf({ tag, content }: Element): string {
  return tag === bmpString ? Buffer.from(content).swap16().toString('utf16le') : content.toString('utf8');
}
