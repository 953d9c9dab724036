// The language itself, by what the language definition says of it: every line is an expression that holds, or one that fails and how.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { costMax } from './cost.ts';
import { CelError, compileChecked } from './environment.ts';
import { dynType } from './types.ts';

const values = { n: 5n, text: 'Hello', list: [1n, 2n, 3n], map: { a: 1n, b: { c: 'd' }, nothing: null }, yes: true, number: 1.5 };
const variables = Object.fromEntries(Object.keys(values).map((name) => [name, { type: dynType, sizeMax: costMax }]));
const evaluate = (expression: string) => compileChecked(expression, variables).evaluate(values);

const holds: Readonly<Record<string, readonly string[]>> = {
  'integers are of 64 bits, in decimal and hexadecimal': [
    '9223372036854775807 > 0 && -9223372036854775808 < 0',
    '0x7fffffffffffffff == 9223372036854775807 && -0x8000000000000000 == -9223372036854775808',
    '0xFF == 255 && 18446744073709551615u > 0u && 0xffu == 255u && 1U == 1u',
    '7 / 2 == 3 && -7 / 2 == -3 && 7 % 2 == 1 && -7 % 2 == -1 && 7u / 2u == 3u && 7u % 2u == 1u',
    '2 + 3 * 4 == 14 && (2 + 3) * 4 == 20 && 10 - 2 - 3 == 5 && 100 / 10 / 5 == 2',
    '--5 == 5 && -(-5) == 5 && - 5 == -5 && 1 - -1 == 2',
  ],
  'doubles are written with a point or an exponent, and compare with integers by their amount': [
    '1.5 + 1.5 == 3.0 && .5 == 0.5 && 1e3 == 1000.0 && 1.5E-1 == 0.15 && 2.0 * 3.0 == 6.0',
    'dyn(1) == 1.0 && dyn(1u) == 1 && dyn(1.0) == 1u && 1 < 1.5 && 2u > 1.5 && 2 >= 2u',
    '1.0 / 0.0 > 1e308 && -1.0 / 0.0 < -1e308 && !(0.0 / 0.0 == 0.0 / 0.0) && 0.0 == -0.0',
    '!(0.0 / 0.0 < 1.0) && !(0.0 / 0.0 >= 1.0)',
  ],
  'texts have quotes of four kinds, and escapes unless they are raw': [
    `'a' == "a" && '''a'b''' == "a'b" && """a"b""" == 'a"b'`,
    `'\\a\\b\\f\\n\\r\\t\\v\\\\\\?\\"\\'\\\`' == '\\x07\\x08\\x0c\\x0a\\x0d\\x09\\x0b\\x5c\\x3f\\x22\\x27\\x60'`,
    `'\\x41\\u0041\\U00000041\\101' == 'AAAA' && '\\u00e9' == 'é' && '\\U0001F600' == '😀' && '\\X41' == 'A'`,
    `r'\\n' == '\\\\n' && R"a\\b" == 'a\\\\b' && r'''\\''' == '\\\\' && size(r'\\U') == 2`,
    `'''one
two''' == 'one\\ntwo'`,
    `size('😀é') == 2 && 'a' + 'b' == 'ab' && 'a' < 'b' && 'Z' < 'a' && '\\uffff' < '\\U0001F600' && '' < 'a'`,
    `'hello'.contains('ell') && 'hello'.startsWith('he') && 'hello'.endsWith('lo') && ''.size() == 0`,
  ],
  'bytes are written with a b, count by themselves, and become texts where they are UTF-8': [
    `b'abc' == bytes('abc') && b'\\xff\\x00' != b'\\xff' && size(b'é') == 2 && b'\\303\\251' == bytes('é')`,
    `b'a' + b'b' == b'ab' && b'a' < b'b' && string(b'abc') == 'abc' && br'\\n' == b'\\\\n' && B"x" == b'x'`,
  ],
  'operators bind as in C, comments go to the end of the line': [
    'true || false && false',
    '!false && !!true && !(true && false)',
    '1 + 2 == 3 && 4 > 3 == true && 1 < 2 == true',
    'true ? true : false ? false : false',
    '(false ? 1 : true ? 2 : 3) == 2',
    '1 in [1, 2] && !(3 in [1, 2]) && dyn(1) in [1.0] && "a" in {"a": 1} && dyn(1) in {1u: 2} && [1] in [[1], [2]]',
    `1 // one
      + 1 == 2 // two`,
    '\t\n yes \r\n',
  ],
  'what decides decides, whatever fails beside it': [
    'true || 1 / 0 > 1',
    '1 / 0 > 1 || true',
    '!(false && 1 / 0 > 1)',
    '!(1 / 0 > 1 && false)',
    'true ? true : 1 / 0 > 1',
    '[1, 0, 2].exists(x, 2 / x == 2)',
    '![1, 0, 2].all(x, 2 / x == 2)',
    'map.none.of.this == 1 || yes',
  ],
  'lists are indexed from 0, joined and compared item by item': [
    '[1, 2, 3][0] == 1 && [1, 2, 3,][2] == 3 && [1, 2][dyn(1u)] == 2 && [1, 2][dyn(1.0)] == 2',
    '[] + [1] + [2, 3] == [1, 2, 3] && [1, 2] != [2, 1] && [] == [] && [[1], []] == [[1], []]',
    'size([1, 2]) == 2 && [1, 2].size() == 2 && list[2] == 3 && [1, 2] == dyn([1.0, 2.0])',
    '[?optional.of(1), ?optional.none(), 2] == [1, 2] && [?map.?a, ?map.?z] == [1]',
  ],
  'maps have keys of four types, numbers of the same amount being one': [
    '{"a": 1}["a"] == 1 && {"a": 1}.a == 1 && {1: "x"}[1] == "x" && {1u: "x"}[1u] == "x" && {true: "x"}[true] == "x"',
    '{1: "x"}[dyn(1u)] == "x" && {1u: "x"}[dyn(1)] == "x" && {1: "x"}[dyn(1.0)] == "x" && {-1: "x"}[-1] == "x"',
    '{"a": 1, "b": 2} == {"b": 2, "a": 1} && {"a": 1} != {"a": 2} && {} == {} && {"a": 1,}.size() == 1',
    '{"a": {"b": {"c": 1}}}.a.b.c == 1 && {"a": [1, 2]}.a[1] == 2 && {1: 2, 1: 3}[1] == 3',
    '{?"a": optional.of(1), ?"b": optional.none()} == {"a": 1} && {?"z": map.?z}.size() == 0',
    'map.a == 1 && map["b"]["c"] == "d" && map.b == {"c": "d"} && map.size() == 3',
  ],
  'presence is told of fields and keys, and of the last of a chain only': [
    'has(map.a) && !has(map.z) && has(map.b.c) && !has(map.b.z) && has(map.nothing)',
    'has({"a": 1}.a) && !has({"a": 1}.b) && !has({}.a)',
  ],
  'optionals go along chains of selections until they are opened': [
    'map.?a.value() == 1 && !map.?z.hasValue() && map.?b.c.value() == "d" && !map.?z.c.d.hasValue()',
    'map[?"a"].value() == 1 && list[?0].value() == 1 && !list[?9].hasValue() && map.?b[?"c"].orValue("") == "d"',
    'map.?z.orValue(7) == 7 && map.?a.or(optional.of(9)).value() == 1 && optional.none().or(optional.of(9)).value() == 9',
    'optional.of(1) == optional.of(1) && optional.none() == optional.none() && optional.of(1) != optional.none()',
    'optional.of(1).orValue(1 / 0) == 1',
    'has(map.?b.c) && !has(map.?z.c)',
    'map.?a.optMap(x, x + 1).value() == 2 && !map.?z.optMap(x, x + 1).hasValue()',
    'map.?a.optFlatMap(x, map.?b).value().c == "d" && !map.?a.optFlatMap(x, map.?z).hasValue()',
    'optional.ofNonZeroValue(0) == optional.none() && optional.ofNonZeroValue("x").value() == "x" && optional.ofNonZeroValue([]) == optional.none()',
  ],
  'macros go through lists and the keys of maps': [
    '[1, 2].all(x, x > 0) && [].all(x, false) && ![1, 2].all(x, x > 1)',
    '[1, 2].exists(x, x > 1) && ![].exists(x, true) && {"a": 1}.exists(k, k == "a") && {"a": 1}.all(k, k == "a")',
    '[1, 2, 2].exists_one(x, x == 1) && ![1, 2, 2].exists_one(x, x == 2) && [1].existsOne(x, x == 1)',
    '[1, 2].map(x, x * 2) == [2, 4] && [1, 2, 3].map(x, x > 1, x * 2) == [4, 6] && {"a": 1}.map(k, k) == ["a"]',
    '[1, 2, 3].filter(x, x % 2 == 1) == [1, 3] && {"a": 1, "b": 2}.filter(k, k != "a") == ["b"]',
    '[[1, 2], [3]].map(l, l.map(x, x + 1)) == [[2, 3], [4]] && [1, 2].all(x, [3, 4].all(y, x < y))',
    '[1].map(x, [2].map(x, x)) == [[2]] && [1].all(n, n == 1) && n == 5',
  ],
  'macros of two variables see indexes and keys as well': [
    '[5, 6].all(i, v, v == i + 5) && {"a": 1}.exists(k, v, k == "a" && v == 1) && [1, 1].existsOne(i, v, i == 0)',
    '[5, 6].transformList(i, v, i * v) == [0, 6] && [5, 6].transformList(i, v, i > 0, v) == [6]',
    '{"a": 1, "b": 2}.transformMap(k, v, v * 2) == {"a": 2, "b": 4} && {"a": 1, "b": 2}.transformMap(k, v, v > 1, v) == {"b": 2}',
    '{"a": "x"}.transformMapEntry(k, v, {v: k}) == {"x": "a"} && ["x"].transformMapEntry(i, v, {v: i}) == {"x": 0}',
  ],
  'types are values': [
    'type(1) == int && type(1u) == uint && type(1.0) == double && type("") == string && type(b"") == bytes && type(true) == bool',
    'type(null) == null_type && type([]) == type([1]) && type({}) == type({1: 2}) && type(type(1)) == type && type(int) == type',
    "type(timestamp(0)) == google.protobuf.Timestamp && type(duration('1s')) == google.protobuf.Duration",
    'type(text) == string && type(map) == type({}) && type(number) == double',
  ],
  'numbers become one another where they fit': [
    'int(1.9) == 1 && int(-1.9) == -1 && int("-5") == -5 && int(5u) == 5 && uint(5) == 5u && uint("5") == 5u && uint(1.9) == 1u',
    'double(1) == 1.0 && double("1e3") == 1000.0 && double("-Infinity") < 0.0 && double("NaN") != double("NaN")',
    'string(1) == "1" && string(1u) == "1" && string(1.5) == "1.5" && string(true) == "true" && string(-0.0) == "-0" && string(1.0) == "1"',
    'string(1e21) == "1e+21" && string(1e-7) == "1e-07" && string(123456789.0) == "1.23456789e+08" || string(123456789.0) == "123456789"',
    'bool("true") && bool("T") && !bool("0") && bool(true)',
  ],
  'times are exact to the nanosecond, and are read in any zone': [
    "timestamp('2023-02-03T23:31:20.123456789Z') - timestamp('2023-02-03T23:31:20Z') == duration('123456789ns')",
    "string(timestamp('2023-02-03T23:31:20.120Z')) == '2023-02-03T23:31:20.12Z' && string(timestamp(0)) == '1970-01-01T00:00:00Z'",
    "timestamp('2023-02-03T23:31:20+02:00') == timestamp('2023-02-03T21:31:20Z') && int(timestamp('1970-01-01T00:01:00Z')) == 60",
    "timestamp('2024-02-29T12:00:00Z') + duration('24h') == timestamp('2024-03-01T12:00:00Z') && duration('1h') + timestamp(0) == timestamp(3600)",
    "timestamp('2023-02-03T23:31:20Z').getFullYear() == 2023 && timestamp('2023-02-03T23:31:20Z').getMonth() == 1",
    "timestamp('2023-02-03T23:31:20Z').getDate() == 3 && timestamp('2023-02-03T23:31:20Z').getDayOfMonth() == 2",
    "timestamp('2023-02-05T23:31:20Z').getDayOfWeek() == 0 && timestamp('2024-12-31T00:00:00Z').getDayOfYear() == 365",
    "timestamp('2023-02-03T23:31:20.5Z').getMilliseconds() == 500 && timestamp('2023-02-03T23:31:20Z').getSeconds() == 20",
    "timestamp('2023-02-03T23:31:20Z').getHours('+02:30') == 2 && timestamp('2023-02-03T23:31:20Z').getMinutes('-00:30') == 1",
    "timestamp('2023-07-01T12:00:00Z').getHours('Europe/Berlin') == 14 && timestamp('2023-01-01T12:00:00Z').getHours('Europe/Berlin') == 13",
    "timestamp('1969-12-31T23:59:59.5Z').getFullYear() == 1969 && timestamp('0001-01-01T00:00:00Z') < timestamp('9999-12-31T23:59:59Z')",
  ],
  'durations are sums of units': [
    "duration('1h30m') == duration('90m') && duration('1.5s') == duration('1500ms') && duration('-1s') < duration('0') && duration('1us') == duration('1000ns')",
    "duration('90m').getHours() == 1 && duration('90m').getMinutes() == 90 && duration('1500ms').getSeconds() == 1 && duration('1500ms').getMilliseconds() == 1500",
    "duration('1s') + duration('1s') == duration('2s') && duration('1s') - duration('2s') == duration('-1s') && string(duration('90m')) == '5400s'",
    "string(duration('1.5s')) == '1.5s' && string(duration('1ns')) == '0.000000001s' && int(duration('1s')) == 1000000000",
  ],
  'null is only null, and different types are never equal': [
    'null == null && map.nothing == null && dyn(1) != null && dyn("1") != dyn(1) && dyn([]) != dyn({})',
    '{"a": null}.a == null && [null] == [null] && dyn(true) != dyn(1)',
  ],
  'names with a dot in front are looked up from the root': ['.n == 5 && [1].all(n, .n == 5 && n == 1)', '.map.a == 1'],
};

for (const [title, expressions] of Object.entries(holds))
  test(title, () => {
    for (const expression of expressions) {
      let result: unknown;
      try {
        result = evaluate(expression);
      } catch (error) {
        if (!(error instanceof CelError)) throw error;
        result = error.message;
      }
      assert.equal(result, true, expression);
    }
  });

test('what cannot be computed fails in the words of cel-go', () => {
  const failures: Readonly<Record<string, string>> = {
    '9223372036854775807 + 1 > 0': 'integer overflow',
    '-9223372036854775808 - 1 > 0': 'integer overflow',
    '9223372036854775807 * 2 > 0': 'integer overflow',
    '-(-9223372036854775808) > 0': 'integer overflow',
    '-9223372036854775808 / -1 > 0': 'integer overflow',
    '18446744073709551615u + 1u > 0u': 'unsigned integer overflow',
    '0u - 1u > 0u': 'unsigned integer overflow',
    'int(1e19) > 0': 'integer overflow',
    'uint(-1) > 0u': 'unsigned integer overflow',
    '1 / 0 > 0': 'division by zero',
    '1 % 0 > 0': 'modulus by zero',
    'map.z == 1': 'no such key: z',
    'map["z"] == 1': 'no such key: z',
    '{1: 2}[3] == 1': 'no such key: 3',
    'map.a.b == 1': 'no such key: b',
    'list[3] == 1': 'index out of bounds: 3',
    'list[-1] == 1': 'index out of bounds: -1',
    'text + 1 == 1': 'no such overload',
    'text > 1': 'no such overload',
    'text.all(x, true)': 'no such overload',
    'n ? true : false': 'no such overload',
    'n && true': 'no such overload',
    '1 in n': 'no such overload',
    'optional.none().value() == 1': 'optional.none() dereference',
    "timestamp('9999-12-31T23:59:59Z') + duration('1s') > timestamp(0)": 'timestamp overflow',
    "duration('9223372036s') + duration('9223372036s') > duration('0')": 'duration overflow',
    "timestamp(0).getHours('Nowhere/There') == 1": 'unknown time zone Nowhere/There',
    "string(b'\\xff') == ''": 'invalid UTF-8 in bytes, cannot convert to string',
    '[1].map(x, x / 0) == [1]': 'division by zero',
    '[1, 2].exists(x, x / 0 > 1)': 'division by zero',
    '[?n].size() > 0': 'cannot initialize optional list element from non-optional value 5',
  };
  for (const [expression, message] of Object.entries(failures)) {
    assert.throws(
      () => evaluate(expression),
      (error) => {
        assert.ok(error instanceof CelError);
        assert.equal(error.message, message, expression);
        return true;
      },
    );
  }
});

test('what does not parse is shown where it stops to', () => {
  const operands = "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";
  const failures: readonly (readonly [expression: string, column: number, message: string])[] = [
    ['', 1, `Syntax error: mismatched input '<EOF>' expecting ${operands}`],
    ['1 +', 4, `Syntax error: mismatched input '<EOF>' expecting ${operands}`],
    ['(1', 3, "Syntax error: mismatched input '<EOF>' expecting ')'"],
    ['a b', 3, "Syntax error: mismatched input 'b' expecting <EOF>"],
    ['a.', 3, "Syntax error: no viable alternative at input '.'"],
    ['a.in', 3, "Syntax error: mismatched input 'in' expecting IDENTIFIER"],
    ['a ? b', 6, "Syntax error: mismatched input '<EOF>' expecting ':'"],
    ["'abc", 1, "Syntax error: token recognition error at: ''abc'"],
    ['1 + $', 5, "Syntax error: token recognition error at: '$'"],
    ['a | b', 3, "Syntax error: token recognition error at: '| '"],
    ['for', 1, 'reserved identifier: for'],
    ['package + 1', 1, 'reserved identifier: package'],
    ['9223372036854775808', 1, 'invalid int literal'],
    ['18446744073709551616u', 1, 'invalid uint literal'],
    ['1e400', 1, 'invalid double literal'],
    ['list.all(1, true)', 10, 'argument must be a simple name'],
    ['list.map(map.a, true)', 13, 'argument is not an identifier'],
    ['has(map)', 5, 'invalid argument to has() macro'],
    ['[1].all(i, i, true)', 12, 'duplicate variable name: i'],
    ['unknown', 1, "undeclared reference to 'unknown' (in container '')"],
    ["duration('1 day')", 10, 'invalid duration argument'],
    ["timestamp('yesterday')", 11, 'invalid timestamp argument'],
    ["text.matches('(')", 14, 'invalid matches argument'],
    ['Thing{a: 1}', 6, "undeclared reference to 'Thing' (in container '')"],
  ];
  for (const [expression, column, message] of failures) {
    assert.throws(
      () => evaluate(expression),
      (error) => {
        assert.ok(error instanceof CelError);
        assert.equal(error.message.split('\n', 1)[0], `ERROR: <input>:1:${column}: ${message}`, expression);
        return true;
      },
    );
  }
});

test('expressions are no deeper and no longer than cel-go lets them be', () => {
  assert.throws(() => evaluate(`${'('.repeat(300)}1${')'.repeat(300)}`), /expression recursion limit exceeded: 250/);
  assert.throws(() => evaluate(`'${'x'.repeat(100_000)}'`), /expression code point size exceeds limit: size: 100002, limit 100000/);
  assert.equal(evaluate(Array.from({ length: 5000 }, () => 'true').join(' && ')), true);
});
