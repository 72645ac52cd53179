import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

/**
 * The numbered hard cases of reading, signals and ends that concern commands which read once: the test that shows each, by its
 * file and a part of its name. Cases of following files are those of `agent`.
 */
const CASES: Readonly<Record<number, readonly (readonly [file: string, name: string])[]>> = {
  // Appends in 1-byte writes, a character split between reads.
  6: [['input', 'do not depend on where the input is cut into chunks']],
  // A line exactly at the end of a piece, one byte less and more.
  7: [['input', 'do not depend on where the input is cut into chunks']],
  // A record of the largest size, one byte more, longer than the longest line, with each policy.
  8: [
    ['put', 'with --max-record %s ends with %d for a record of a byte too many'],
    ['put', 'passes over a line above --max-line'],
    ['input', 'of %d bytes are whole, or passed over as a whole']
  ],
  // CRLF in different reads; a lone carriage return.
  9: [
    ['input', 'of an input with %s are what stands between newlines'],
    ['input', 'do not depend on where the input is cut into chunks']
  ],
  // SIGTERM while a batch is in flight; the drain deadline.
  55: [
    ['put', 'lets put finish what it has read and end with 0'],
    ['put', 'ends with 143 when the drain deadline passes before the answers'],
    ['process', 'finishes at SIGTERM with 0, and ends with 143 at the second']
  ],
  // A second SIGINT within the drain.
  56: [['put', 'that comes twice ends the process at once and says what is open']],
  // stdout closed early; stderr closed; stdin closed at once; stdin a terminal.
  57: [
    ['process', 'ends quietly with 0 when nobody reads its stdout any more'],
    ['process', 'does not mind a closed stderr, nor a stdin that is closed at once'],
    ['put', 'put says once that it reads from the terminal']
  ],
  // The same error 100,000 times.
  58: [
    ['frame', 'the same error 100,000 times is five lines in ten seconds, and a count'],
    ['put', 'each code is told at most five times']
  ],
  // Bytes that are not UTF-8, a byte order mark.
  60: [
    ['put', 'sends bytes that are not UTF-8 as they are'],
    ['input', 'keep their newline and bytes that are not UTF-8']
  ],
  // gzip that is cut.
  62: [['put', 'gzip that is cut']],
  // The stream is deleted while running.
  66: [['put', 'is 3 when the stream is deleted while an open input gives nothing']],
  // A reshard: order and completeness for readers and writers.
  68: [
    ['tail', 'reads parents before children across a split'],
    ['put', 'keeps the order of each key with --ordering key while requests fail']
  ]
}

/**
 * The others, and why they are not here. 1 to 5, 10 to 54, 59, 61, 63 to 65, 69, 70: they are about following files, which these commands
 * do not do. 67: credentials that expire and come back are the library's (test/aws).
 */
const ELSEWHERE = new Set([...range(1, 5), ...range(10, 54), 59, 61, 63, 64, 65, 67, 69, 70])

test('every numbered case has a test here or is said to be elsewhere', () => {
  const numbers = range(1, 70).filter(number => number in CASES === ELSEWHERE.has(number))

  expect(numbers).toEqual([])
})

test.each(Object.entries(CASES))('case %s is shown by tests that exist', (_, tests) => {
  const missing = tests.filter(
    ([file, name]) => !readFileSync(new URL(`${file}.test.ts`, import.meta.url), 'utf8').includes(name)
  )

  expect(missing).toEqual([])
})

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, place) => from + place)
}
