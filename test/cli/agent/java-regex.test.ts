import { expect, test } from 'vitest'
import { fromJavaRegex } from '../../../src/cli/agent/java-regex.ts'

test.each([
  ['^\\[?\\d{4}-\\d+', '^\\[?\\d{4}-\\d+', ''],
  ['(?i)error', 'error', 'i'],
  ['(?sm)a', 'a', 'ms'],
  ['a+?b??c{2,3}?', 'a+?b??c{2,3}?', ''],
  ['\\++', '\\++', ''],
  ['[+]+', '[+]+', ''],
  ['(?<year>\\d+)(?:x)(?=y)(?!z)(?<=a)(?<!b)', '(?<year>\\d+)(?:x)(?=y)(?!z)(?<=a)(?<!b)', ''],
  ['\\h', '[ \\t\\xa0\\u1680\\u180e\\u2000-\\u200a\\u202f\\u205f\\u3000]', ''],
  ['[\\h,]', '[ \\t\\xa0\\u1680\\u180e\\u2000-\\u200a\\u202f\\u205f\\u3000,]', ''],
  ['\\v', '[\\n\\x0b\\f\\r\\x85\\u2028\\u2029]', ''],
  ['\\s', '[ \\t\\n\\x0b\\f\\r]', ''],
  ['[\\s\\S]', '[ \\t\\n\\x0b\\f\\r\\x00-\\x08\\x0e-\\x1f!-\\uffff]', ''],
  ['\\a\\e', '\\x07\\x1b', ''],
  ['[a&b]', '[a&b]', '']
])('%s of Java is %s', (pattern, source, flags) => {
  expect(fromJavaRegex(pattern)).toEqual({ kind: 'translated', source, flags })
})

test.each([
  ['a*+', 3, 'a possessive quantifier'],
  ['a?+', 3, 'a possessive quantifier'],
  ['(a)++', 5, 'a possessive quantifier'],
  ['a{2}+', 5, 'a possessive quantifier'],
  ['x(?>a)', 2, 'an atomic group'],
  ['x(?i)a', 2, 'flags that are not at the beginning'],
  ['(?i:a)', 1, 'flags that are not at the beginning'],
  ['(?x)a', 3, 'the flag x'],
  ['\\Aa', 1, 'the anchor \\A'],
  ['a\\z', 2, 'the anchor \\z'],
  ['a\\Z', 2, 'the anchor \\Z'],
  ['\\Ga', 1, 'the anchor \\G'],
  ['\\Qa.b\\E', 1, 'the quotation \\Q'],
  ['\\p{Alpha}', 1, 'the class \\p'],
  ['[\\p{Alpha}]', 2, 'the class \\p'],
  ['[a-z&&[^b]]', 5, 'an intersection of classes'],
  ['[a[b]]', 3, 'a class within a class'],
  ['[]a]', 2, 'a ] at the start of a class'],
  ['[ab', 1, 'a class without its end'],
  ['[\\H]', 2, '\\H within brackets'],
  ['\\x{1f600}', 1, 'the code point \\x{'],
  ['a\\', 2, 'a backslash at the end'],
  ['(', 1, 'Unterminated group']
])('%s of Java is refused at column %d', (pattern, column, reason) => {
  expect(fromJavaRegex(pattern)).toEqual({ kind: 'refused', column, reason })
})
