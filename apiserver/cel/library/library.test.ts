import assert from 'node:assert/strict';
import { test } from 'node:test';
import { costMax } from '../cost.ts';
import { CelError, compileChecked } from '../environment.ts';
import { dynType } from '../types.ts';
import { CelMap, Optional } from '../values.ts';

const self = { names: ['b', 'a'], counts: { x: 1n, y: 2n }, text: 'Hello', ip: '10.0.0.1', none: null, items: [{ n: 1n }] };

/** Every function of every library, with what it gives; each is true unless another value stands beside it. */
const expressions: readonly (string | readonly [expression: string, value: unknown])[] = [
  // kubernetes.lists and cel.lib.ext.lists
  '[1, 2, 3].isSorted() && !self.names.isSorted()',
  '[1, 2, 3].sum() == 6 && [1.5, 2.5].sum() == 4.0',
  "[duration('1h'), duration('30m')].sum() == duration('90m')",
  "[3, 1, 2].min() == 1 && ['b', 'a'].max() == 'b'",
  '[1, 2, 1].indexOf(1) == 0 && [1, 2, 1].lastIndexOf(1) == 2 && [1].indexOf(5) == -1',
  "self.names.indexOf('a') == 1",
  ['[1, 2, 3, 4].slice(1, 3)', [2n, 3n]],
  ['[[dyn(1)], [dyn(2), dyn([3])]].flatten(2)', [1n, 2n, 3n]],
  ['[1, 2, 1].distinct()', [1n, 2n]],
  ['[3, 1, 2].sort()', [1n, 2n, 3n]],
  ['[1, 2].reverse()', [2n, 1n]],
  ['lists.range(3)', [0n, 1n, 2n]],
  'self.items.first().value().n == 1 && optional.ofNonZeroValue(self.items).value()[0].n == 1',
  '[1, 2].first().value() == 1 && [1, 2].last().orValue(0) == 2 && ![].first().hasValue()',
  // sets
  'sets.contains([1, 2, 3], [1, 3]) && !sets.contains([1], [2])',
  'sets.equivalent([1, 2], [2, 1, 1]) && sets.intersects([1, 2], [2, 3]) && !sets.intersects([1], [2])',
  // kubernetes.regex
  "'abc 123'.find('[0-9]+') == '123' && 'abc'.find('[0-9]+') == ''",
  ["'1 22 333'.findAll('[0-9]+')", ['1', '22', '333']],
  ["'1 22 333'.findAll('[0-9]+', 2)", ['1', '22']],
  "self.text.matches('^H.*o$')",
  // kubernetes.urls
  "isURL('https://example.com:80/') && !isURL('example.com') && !isURL('../relative')",
  "url('https://example.com:80/').getScheme() == 'https' && url('/path').getScheme() == ''",
  "url('https://example.com:80/').getHost() == 'example.com:80' && url('https://[::1]:80/').getHostname() == '::1'",
  "url('https://example.com:80/').getPort() == '80' && url('https://example.com/').getPort() == ''",
  "url('https://example.com/path with spaces/').getEscapedPath() == '/path%20with%20spaces/'",
  [
    "url('https://example.com/?k1=a&k2=b&k2=c').getQuery()",
    new Map([
      ['k1', ['a']],
      ['k2', ['b', 'c']],
    ]),
  ],
  "url('https://a/') == url('https://a/')",
  // kubernetes.quantity
  "isQuantity('1.3Gi') && !isQuantity('1,3G') && isQuantity('200k')",
  "quantity('50000000G').isInteger() && !quantity('0.5').isInteger() && quantity('50k').asInteger() == 50000",
  "quantity('9.9').asApproximateFloat() == 9.9 && sign(quantity('-3')) == -1",
  "quantity('50k').add(quantity('20k')) == quantity('70k') && quantity('50k').add(20) == quantity('50020')",
  "quantity('50k').sub(quantity('20k')) == quantity('30k') && quantity('50k').sub(20000) == quantity('30k')",
  "quantity('200M').compareTo(quantity('0.2G')) == 0 && quantity('1Mi').isGreaterThan(quantity('1M'))",
  "quantity('1').isLessThan(quantity('2')) && quantity('1000m') == quantity('1')",
  // kubernetes.net
  "isIP('::1') && isIP('127.0.0.1') && !isIP('127.0.0.256') && !isIP('::ffff:1.2.3.4') && !isIP('fe80::1%eth0')",
  "ip('127.0.0.1').family() == 4 && ip('::1').family() == 6 && ip('127.0.0.1').isLoopback() && ip('0.0.0.0').isUnspecified()",
  "ip('224.0.0.1').isLinkLocalMulticast() && ip('169.254.1.1').isLinkLocalUnicast() && ip('8.8.8.8').isGlobalUnicast()",
  "ip.isCanonical('2001:db8::abcd') && !ip.isCanonical('2001:DB8::ABCD')",
  "string(ip('127.0.0.1')) == '127.0.0.1' && ip('::1') == ip('0:0:0:0:0:0:0:1')",
  "isCIDR('192.168.0.0/16') && !isCIDR('192.168.0.0/33') && !isCIDR('192.168.0.0')",
  "cidr('192.168.0.0/24').containsIP('192.168.0.1') && !cidr('192.168.0.0/24').containsIP(ip('192.168.1.1'))",
  "cidr('192.168.0.0/16').containsCIDR('192.168.10.0/24') && !cidr('192.168.0.0/24').containsCIDR(cidr('192.168.0.0/16'))",
  "cidr('192.168.1.5/24').ip() == ip('192.168.1.5') && cidr('192.168.1.5/24').masked() == cidr('192.168.1.0/24')",
  "cidr('::/64').prefixLength() == 64 && string(cidr('10.0.0.0/8')) == '10.0.0.0/8'",
  // kubernetes.format
  "!format.dns1123Label().validate('my-label').hasValue() && format.dns1123Label().validate('My').hasValue()",
  "format.named('uuid').hasValue() && !format.named('unknown').hasValue()",
  ["format.date().validate('2021-13-01').value()", ['invalid date']],
  ["format.byte().validate('$').value()", ['invalid base64']],
  ["format.uuid().validate('x').value()", ['does not match the UUID format']],
  "!format.datetime().validate('2021-01-01T00:00:00Z').hasValue() && !format.uri().validate('http://a/').hasValue()",
  "!format.qualifiedName().validate('a.b/c').hasValue() && format.labelValue().validate('-').hasValue()",
  "!format.dns1123LabelPrefix().validate('a-').hasValue() && format.dns1035Label().validate('1a').hasValue()",
  // kubernetes.Semver
  "isSemver('1.0.0') && !isSemver('v1.0') && isSemver('v1.0', true) && semver('v01.2', true) == semver('1.2.0')",
  "semver('1.2.3').major() == 1 && semver('1.2.3').minor() == 2 && semver('1.2.3').patch() == 3",
  "semver('1.2.3').isLessThan(semver('1.10.0')) && semver('1.0.0').isGreaterThan(semver('1.0.0-rc.1'))",
  "semver('1.0.0-alpha.2').compareTo(semver('1.0.0-alpha.10')) == -1",
  // strings
  "self.text.charAt(1) == 'e' && 'tacocat'.charAt(7) == ''",
  "'hello hello'.replace('he', 'we') == 'wello wello' && 'hello hello'.replace('he', 'we', 1) == 'wello hello'",
  ["'a,b,c'.split(',', 2)", ['a', 'b,c']],
  "'tacocat'.substring(4) == 'cat' && 'tacocat'.substring(0, 4) == 'taco' && ' a '.trim() == 'a'",
  "'TacoCat'.lowerAscii() == 'tacocat' && 'a'.upperAscii() == 'A' && 'tacocat'.indexOf('c') == 2 && 'tacocat'.lastIndexOf('c') == 4",
  "['a', 'b'].join('-') == 'a-b' && strings.quote('a\\n\"b\"') == '\"a\\\\n\\\\\"b\\\\\"\"'",
  [
    "'%s is %d years and %.2f m, %x, %b, %s %%'.format(['Ann', 40, 1.7, 255, 5, [1, 'a']])",
    'Ann is 40 years and 1.70 m, ff, 101, [1, "a"] %',
  ],
  ["'%s'.format([{'b': 1, 'a': true}])", '{"a":true, "b":1}'],
  ["'%e and %f'.format([1052.032911275, 12345.5])", '1.052033×10⁰³ and 12,345.500000'],
  ["'%s'.format([[2.71, b'x', duration('1s'), timestamp(0)]])", '[2.710000, b"x", duration("1s"), timestamp("1970-01-01T00:00:00Z")]'],
  ['[3, 1, 2].sortBy(x, -x)', [3n, 2n, 1n]],
  "jsonpatch.escapeKey('k8s.io/my~label') == 'k8s.io~1my~0label'",
  // comprehensions of two variables
  '[1, 2, 3].all(i, v, i < v) && self.counts.exists(k, v, k == "y" && v == 2) && self.counts.existsOne(k, v, v == 2)',
  ['[1, 2, 3].transformList(i, v, i > 0, 2 * v + i)', [5n, 8n]],
  [
    'self.counts.transformMap(k, v, v + 1)',
    new Map([
      ['x', 2n],
      ['y', 3n],
    ]),
  ],
  [
    'self.counts.transformMapEntry(k, v, {string(v): k})',
    new Map([
      ['1', 'x'],
      ['2', 'y'],
    ]),
  ],
  // optionals
  "self.?text.orValue('') == 'Hello' && self.?other.orValue('no') == 'no' && !self.?other.?deep.hasValue()",
  "self.?text.optMap(t, t + '!').value() == 'Hello!' && optional.of(1).optFlatMap(x, optional.of(x + 1)).value() == 2",
  "optional.none().or(optional.of(1)).value() == 1 && !optional.ofNonZeroValue('').hasValue()",
  // the language
  "has(self.text) && !has(self.other) && type(1) == int && dyn(1) == 1.0 && 1 < 2.5 && 'a' in ['a'] && 'x' in self.counts",
  "timestamp('2024-01-15T14:30:45Z').getHours('America/New_York') == 9 && timestamp('2024-01-15T14:30:45Z').getFullYear() == 2024",
  "duration('90m').getHours() == 1 && string(duration('90m')) == '5400s' && int(timestamp('1970-01-01T00:00:01Z')) == 1",
  "bytes('abc') == b'abc' && string(b'abc') == 'abc' && size(b'ab') == 2",
  'self.names.all(ip, ip != "") && self.none == null',
];

const evaluate = (expression: string) => compileChecked(expression, { self: { type: dynType, sizeMax: costMax } }).evaluate({ self });
const plain = (value: unknown) => (value instanceof CelMap ? new Map(value.entries()) : value);

for (const entry of expressions) {
  const [expression, wanted] = typeof entry === 'string' ? [entry, true] : entry;
  test(`${expression} holds`, () => {
    assert.deepEqual(plain(evaluate(expression)), wanted);
  });
}

test('functions that cannot give a value say why', () => {
  const failures: Record<string, RegExp> = {
    '[1].slice(0, 5)': /cannot slice\(0, 5\), list is length 1/,
    "quantity('1,3')": /quantities must match the regular expression/,
    "quantity('0.5').asInteger()": /cannot convert value to integer/,
    "ip('fe80::1%eth0')": /IP address "fe80::1%eth0" with zone value is not allowed/,
    "ip('::ffff:1.2.3.4')": /IPv4-mapped IPv6 address "::ffff:1.2.3.4" is not allowed/,
    "cidr('10.0.0.0')": /network address parse error during conversion from string/,
    "url('not a url')": /URL parse error during conversion from string: parse "not a url": invalid URI for request/,
    "'a'.charAt(5)": /index out of range: 5/,
    "'a'.find('(')": /error parsing regexp: missing closing \): `\(`/,
    "'a'.find(self.text + '(')": /Illegal regex: error parsing regexp: missing closing \): `Hello\(`/,
    '[].min() == 0': /min called on empty list/,
    "'%d'.format(['a'])": /decimal clause can only be used on integers, was given string/,
    "'%s %s'.format(['a'])": /index 1 out of range/,
    'optional.none().value()': /optional/i,
    '1 / 0': /division by zero/,
    '{1: 2}.transformMapEntry(k, v, {"a": 1}).size() + [1, 2].transformMapEntry(i, v, {"a": v}).size()':
      /insert failed: key a already exists/,
  };
  for (const [expression, message] of Object.entries(failures)) {
    assert.throws(
      () => evaluate(expression),
      (error) => error instanceof CelError && message.test(error.message),
      expression,
    );
  }
});

test('an optional stays one until it is opened', () => {
  assert.ok(evaluate('self.?text') instanceof Optional);
});
