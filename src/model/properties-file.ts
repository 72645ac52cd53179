/**
 * Files of java.util.Properties: text enters, pairs of key and value leave.
 * Example: `a.b = c` -> ['a.b', 'c'].
 * Invariant: pure; comments and empty lines are skipped, a line that ends in a backslash goes on in the next.
 */

/** Keys and values of the file in order, by the line rules of java.util.Properties. */
export function* parseProperties(text: string): Generator<[string, string]> {
  let joined = ''
  for (const line of text.split(/\r\n|\n|\r/)) {
    const content = joined + line.trimStart()
    joined = ''
    const isComment = content === '' || content.startsWith('#') || content.startsWith('!')
    if (isComment) continue
    // An odd number of backslashes at the end goes on in the next line; an even number are backslashes.
    const backslashes = content.length - content.replace(/\\+$/, '').length
    if (backslashes % 2 === 1) {
      joined = content.slice(0, -1)
      continue
    }
    yield pairOf(content.trimEnd())
  }
  if (joined !== '') yield pairOf(joined.trimEnd())
}

function pairOf(content: string): [string, string] {
  const end = content.search(/[=:\s]/)
  return end < 0 ? [content, ''] : [content.slice(0, end), content.slice(end).replace(/^\s*[=:]?\s*/, '')]
}
