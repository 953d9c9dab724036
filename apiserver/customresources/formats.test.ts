import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatProblem } from './formats.ts';

/** Of every format what is right and what is not. */
const examples: Readonly<Record<string, readonly [right: readonly string[], wrong: readonly string[]]>> = {
  'date-time': [
    ['2024-01-15T14:30:45Z', '2024-01-15t14:30:45.123+01:00'],
    ['2024-01-15', '2024-13-15T14:30:45Z'],
  ],
  date: [['2024-02-29'], ['2023-02-29', '2024-1-1']],
  duration: [
    ['1h30m', '0', '-2.5s', '3 days'],
    ['1', 'one hour', ''],
  ],
  byte: [
    ['aGVsbG8=', ''],
    ['aGVsbG8', '$'],
  ],
  uri: [
    ['https://example.com/a?b#c', 'mailto:a@b'],
    ['not a uri', ''],
  ],
  email: [['a@b.example'], ['a', '@b']],
  hostname: [
    ['example.com', 'a-b.c'],
    ['-a.example', 'a_b'],
  ],
  ipv4: [
    ['10.0.0.1', '010.0.0.1'],
    ['10.0.0', '::1', '256.0.0.1'],
  ],
  ipv6: [
    ['::1', 'fe80::1'],
    ['10.0.0.1', ':::'],
  ],
  cidr: [
    ['10.0.0.0/8', 'fd00::/8'],
    ['10.0.0.0', '10.0.0.0/33', '10.0.0.0/8/8'],
  ],
  mac: [
    ['01:23:45:67:89:ab', '01-23-45-67-89-ab', '0123.4567.89ab', '01:23:45:67:89:ab:cd:ef'],
    ['01:23:45:67:89', '01:23-45:67:89:ab'],
  ],
  uuid: [
    ['123e4567-e89b-12d3-a456-426614174000', '123E4567E89B12D3A456426614174000'],
    ['123e4567', 'x'],
  ],
  uuid3: [['123e4567-e89b-32d3-a456-426614174000'], ['123e4567-e89b-12d3-a456-426614174000']],
  uuid4: [['123e4567-e89b-42d3-a456-426614174000'], ['123e4567-e89b-42d3-7456-426614174000']],
  uuid5: [['123e4567-e89b-52d3-a456-426614174000'], ['123e4567-e89b-42d3-a456-426614174000']],
  isbn: [['0-321-75104-3', '978-0321751041'], ['0-321-75104-4']],
  isbn10: [['0321751043', '080442957X'], ['978-0321751041']],
  isbn13: [['978-0321751041'], ['978-0321751042', '0321751043']],
  creditcard: [
    ['4111 1111 1111 1111', '378282246310005'],
    ['4111 1111 1111 1112', '1'],
  ],
  ssn: [['111-11-1111'], ['1-1-1']],
  hexcolor: [
    ['#fff', '1a2b3c'],
    ['#ffff', 'red'],
  ],
  rgbcolor: [['rgb(1, 20, 255)'], ['rgb(1, 20, 256)', 'rgb(1, 2)']],
  bsonobjectid: [['507f1f77bcf86cd799439011'], ['507f1f77']],
  password: [['anything'], []],
  'of-nobody': [['anything'], []],
};

for (const [format, [right, wrong]] of Object.entries(examples)) {
  test(`${format} takes what it should, and nothing else`, () => {
    assert.deepEqual(
      right.filter((text) => formatProblem(format, text)),
      [],
    );
    assert.deepEqual(
      wrong.filter((text) => !formatProblem(format, text)),
      [],
    );
  });
}
