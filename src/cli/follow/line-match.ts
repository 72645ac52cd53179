/**
 * A regular expression tried on a line of bytes.
 * Invariant: at most the first 64 KiB are looked at, so an expression that is linear stays cheap. One that backtracks
 * without bound still stops the process: it runs on the main thread.
 */

export const MATCHED_BYTES = 65_536

/** Returns whether the pattern matches; bytes that are not UTF-8 count as U+FFFD. */
export function isMatch(pattern: RegExp, line: Buffer): boolean {
  // A pattern that is sticky or global would go on where it last matched.
  pattern.lastIndex = 0
  return pattern.test(line.toString('utf8', 0, Math.min(line.length, MATCHED_BYTES)))
}
