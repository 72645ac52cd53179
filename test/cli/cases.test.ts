import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

/**
 * The numbered hard cases of reading, signals, state and ends: the test that shows each, by its file and a part of its name.
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
  // A process killed at any moment, by real files; at every await point in test/cli/follow.
  33: [
    ['agent/agent-process', '33: killed with SIGKILL again and again while lines come and files rotate loses no line']
  ],
  // The state is gone; the machine started anew; a torn, damaged, half renamed and newer state.
  37: [['agent/agent', '37: says loudly that a flow starts for the first time, also when its state was deleted']],
  38: [['agent/lock', '38: a lock from before the machine started is stale']],
  41: [['agent/node-state-directory', '41: a journal that is torn']],
  42: [['agent/node-state-directory', '42: zeros at the end of the journal']],
  43: [['agent/node-state-directory', '43: a crash between the two renames']],
  44: [['agent/agent-process', '44: a state directory that cannot be made']],
  45: [
    ['agent/lock', 'a lock whose pid belongs to another process now is stale'],
    ['agent/agent-process', '45: the second on one state directory ends with 4'],
    ['agent/agent-process', '45: that loses its lock reads no more and ends with 4']
  ],
  46: [['agent/node-state-directory', '46: of a newer version is left as it is']],
  50: [['agent/agent-service', '50: a service that is away for ten minutes']],
  52: [['agent/agent', '52: in the middle holds the saved place before it']],
  64: [['agent/agent', '64: agent check tells files that were sent in full']],
  67: [['agent/agent-service', '67: credentials that stay expired end it with 3']],
  // SIGTERM while a batch is in flight; the drain deadline.
  55: [
    ['agent/agent', '55: SIGTERM while a batch is in flight'],
    ['agent/agent', '55: ends with 143 when the drain deadline passes'],
    ['put', 'lets put finish what it has read and end with 0'],
    ['put', 'ends with 143 when the drain deadline passes before the answers'],
    ['process', 'finishes at SIGTERM with 0, and ends with 143 at the second']
  ],
  // A second SIGINT within the drain.
  56: [
    ['agent/agent', '56: a second SIGINT within the drain'],
    ['put', 'that comes twice ends the process at once and says what is open']
  ],
  // stdout closed early; stderr closed; stdin closed at once; stdin a terminal.
  57: [
    ['agent/agent-process', '57: does not mind that stderr is closed'],
    ['process', 'ends quietly with 0 when nobody reads its stdout any more'],
    ['process', 'does not mind a closed stderr, nor a stdin that is closed at once'],
    ['put', 'put says once that it reads from the terminal']
  ],
  // The same error 100,000 times.
  58: [
    ['agent/agent', '58: a file that cannot be read is told once'],
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
  66: [
    ['agent/agent-service', '66: a stream that is deleted ends it with 3'],
    ['put', 'is 3 when the stream is deleted while an open input gives nothing']
  ],
  // A reshard: order and completeness for readers and writers.
  68: [
    ['tail', 'reads parents before children across a split'],
    ['put', 'keeps the order of each key with --ordering key while requests fail']
  ]
}

/**
 * The others are about following files: they are shown on a model file system in test/cli/follow.
 */
const ELSEWHERE = new Set([
  ...range(1, 5),
  ...range(10, 32),
  ...range(34, 36),
  39,
  40,
  ...range(47, 49),
  51,
  53,
  54,
  59,
  61,
  63,
  65,
  69,
  70
])

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
