/**
 * An expression of the Agent's file, which is Java's, for our file.
 * Invariant: what JavaScript does not have is noted with its column, and nothing is written in its place.
 */
import { type ImportLists, textOf } from './import-lists.ts'
import { fromJavaRegex } from './java-regex.ts'

/** Gives the translated source and its leading flags to `take`, or notes the place of what JavaScript does not have. */
export function importRegex(
  value: unknown,
  key: string,
  lists: ImportLists,
  take: (source: string, flags: string) => void
): void {
  const regex = fromJavaRegex(textOf(value, key))
  if (regex.kind === 'translated') take(regex.source, regex.flags === '' ? '' : `(?${regex.flags})`)
  else lists.unsupported(key, `JavaScript has not at column ${regex.column}: ${regex.reason}; write it in another way`)
}
