/**
 * Partition keys that break code: names of an object's own parts, texts that look like numbers, texts that end strings
 * early, characters at the ends of each width of UTF-8, lengths at the ends of blocks and varints.
 * Invariant: each is a valid partition key, well-formed and of 1 to 256 characters.
 */

export const HOSTILE_KEYS: readonly string[] = [
  ...['__proto__', 'constructor', 'prototype', 'hasOwnProperty', 'toString', 'valueOf', 'length', 'then', 'toJSON'],
  ...['10', '2', '1', '0', '-1', '01', '4294967295', '1e3', 'NaN', 'null', 'undefined', 'true'],
  ...[
    '\0',
    'a\0',
    '\0a',
    ' ',
    '\t\n\r',
    '"',
    '\\',
    '\\u0000',
    "'",
    '</script>',
    '\u007f',
    '\u0080',
    '\u07ff',
    '\u0800'
  ],
  ...['\ud7ff', '\ue000', '\ufeff', '\ufffd', '\uffff', '\u{10000}', '\u{1f600}', '\u{10ffff}', '\u2028', 'e\u0301'],
  ...['k'.repeat(55), 'k'.repeat(56), 'k'.repeat(127), 'k'.repeat(128), 'k'.repeat(256), '\u00e9'.repeat(256)],
  ...['\uffff'.repeat(256), '\u{1f600}'.repeat(128)]
]
