/**
 * The step `singleLine`: a record of several lines as one line.
 * Example: `a\n  b` is `ab`; with `escape` it is `a\nb`, with a backslash and an n.
 * Invariant: works on bytes, so bytes that are not UTF-8 stay as they are.
 */
import { objectOf } from '../../config.ts'
import type { Step } from './step.ts'
import { flagAt } from './step-options.ts'

const NEWLINE = 0x0a
const SPACE = 0x20
const ESCAPED = Buffer.from('\\n')

/** `trim`: without white space around each line (default true). `escape`: `\n` stands between two lines, else nothing. */
export function singleLineStep(value: unknown, path: string): Step {
  const options = objectOf(value, path, ['trim', 'escape'])
  const isTrimmed = flagAt(options['trim'], `${path}.trim`, true)
  const isEscaped = flagAt(options['escape'], `${path}.escape`, false)
  return data => {
    const parts: Buffer[] = []
    for (let start = 0; ; ) {
      const newline = data.indexOf(NEWLINE, start)
      const line = data.subarray(start, newline < 0 ? data.length : newline)
      parts.push(isTrimmed ? trimmed(line) : line)
      if (newline < 0) return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
      if (isEscaped) parts.push(ESCAPED)
      start = newline + 1
    }
  }
}

function trimmed(line: Buffer): Buffer {
  let start = 0
  let end = line.length
  while (start < end && line[start]! <= SPACE) start++
  while (end > start && line[end - 1]! <= SPACE) end--
  return line.subarray(start, end)
}
