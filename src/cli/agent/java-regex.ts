/**
 * A regular expression of Java as one of JavaScript, or the place of what JavaScript does not have.
 * Example: `(?i)\h*ERROR` becomes `[ \t]*ERROR` with the flag i; `a++` is refused at column 3, because JavaScript has no possessive quantifier.
 * Invariant: what is translated matches the same texts; what cannot be is refused, never left out.
 */

export type JavaRegex =
  | { readonly kind: 'translated'; readonly source: string; readonly flags: string }
  | { readonly kind: 'refused'; readonly column: number; readonly reason: string }

const LEADING_FLAGS = /^\(\?([a-zA-Z]+)\)/
/** The white space of a line, and the vertical one, without their brackets. */
const HORIZONTAL = ' \\t\\xa0\\u1680\\u180e\\u2000-\\u200a\\u202f\\u205f\\u3000'
const SPACE = ' \\t\\n\\x0b\\f\\r'
const NO_SPACE = '\\x00-\\x08\\x0e-\\x1f!-\\uffff'
const VERTICAL = '\\n\\x0b\\f\\r\\x85\\u2028\\u2029'
/** Classes that are others in JavaScript, where `\\s` has the white space of all scripts. */
const SETS: Readonly<Record<string, string>> = { h: HORIZONTAL, v: VERTICAL, s: SPACE, S: NO_SPACE }
const REFUSED_ESCAPES: Readonly<Record<string, string>> = {
  A: 'the anchor \\A',
  z: 'the anchor \\z',
  Z: 'the anchor \\Z',
  G: 'the anchor \\G',
  Q: 'the quotation \\Q',
  E: 'the end of a quotation \\E',
  p: 'the class \\p',
  P: 'the class \\P',
  R: 'the line break \\R',
  X: 'the cluster \\X',
  N: 'the name \\N',
  0: 'the octal escape \\0'
}
const GROUPS = /^\(\?(?:[:=!]|<[=!]|<[A-Za-z][A-Za-z0-9]*>)/

class Refusal {
  readonly index: number
  readonly reason: string

  constructor(index: number, reason: string) {
    this.index = index
    this.reason = reason
  }
}

/** Returns the expression for `new RegExp(source, flags)`, without the flags u and v. */
export function fromJavaRegex(pattern: string): JavaRegex {
  const [whole = '', letters = ''] = LEADING_FLAGS.exec(pattern) ?? []
  const strange = [...letters].find(letter => !'ims'.includes(letter))
  if (strange !== undefined) return { kind: 'refused', column: 3, reason: `the flag ${strange}` }
  const translated = bodyOf(pattern, whole.length)
  if (translated instanceof Refusal) return { kind: 'refused', column: translated.index + 1, reason: translated.reason }
  const flags = [...new Set(letters)].sort().join('')
  try {
    new RegExp(translated, flags)
  } catch (error) {
    if (error instanceof SyntaxError)
      return { kind: 'refused', column: 1, reason: error.message.split(': ').at(-1) ?? '' }
    throw error
  }
  return { kind: 'translated', source: translated, flags }
}

function bodyOf(pattern: string, from: number): string | Refusal {
  let out = ''
  let isQuantified = false
  for (let i = from; i < pattern.length; ) {
    const letter = pattern[i]!
    const wasQuantified: boolean = isQuantified
    isQuantified = false
    if (letter === '\\') {
      const escaped = escapeOf(pattern, i, false)
      if (escaped instanceof Refusal) return escaped
      out += escaped.text
      i += escaped.length
    } else if (letter === '[') {
      const found = classOf(pattern, i)
      if (found instanceof Refusal) return found
      out += found.text
      i += found.length
    } else if (letter === '(' && pattern[i + 1] === '?') {
      const [group] = GROUPS.exec(pattern.slice(i)) ?? []
      if (group === undefined) return new Refusal(i, groupOf(pattern.slice(i)))
      out += group
      i += group.length
    } else {
      const [quantifier] = /^(?:[*+?]|\{\d+(?:,\d*)?\})/.exec(pattern.slice(i)) ?? []
      if (quantifier === '+' && wasQuantified) return new Refusal(i, 'a possessive quantifier')
      // A second `?` makes it lazy, and ends it.
      isQuantified = quantifier !== undefined && !(quantifier === '?' && wasQuantified)
      out += quantifier ?? letter
      i += quantifier?.length ?? 1
    }
  }
  return out
}

function groupOf(rest: string): string {
  return rest.startsWith('(?>') ? 'an atomic group' : 'flags that are not at the beginning'
}

interface Part {
  readonly text: string
  readonly length: number
}

function escapeOf(pattern: string, index: number, isInClass: boolean): Part | Refusal {
  const letter = pattern[index + 1]
  if (letter === undefined) return new Refusal(index, 'a backslash at the end')
  const reason = Object.hasOwn(REFUSED_ESCAPES, letter) ? REFUSED_ESCAPES[letter] : undefined
  if (reason !== undefined) return new Refusal(index, reason)
  if (letter === 'b' && pattern[index + 2] === '{') return new Refusal(index, 'the boundary \\b{')
  if (letter === 'x' && pattern[index + 2] === '{') return new Refusal(index, 'the code point \\x{')
  const bare = Object.hasOwn(SETS, letter) ? SETS[letter] : undefined
  if (bare !== undefined) return { text: isInClass ? bare : `[${bare}]`, length: 2 }
  const not = letter === 'H' ? HORIZONTAL : letter === 'V' ? VERTICAL : undefined
  if (not !== undefined && isInClass) return new Refusal(index, `\\${letter} within brackets`)
  if (not !== undefined) return { text: `[^${not}]`, length: 2 }
  if (letter === 'a') return { text: '\\x07', length: 2 }
  if (letter === 'e') return { text: '\\x1b', length: 2 }
  return { text: `\\${letter}`, length: 2 }
}

function classOf(pattern: string, index: number): Part | Refusal {
  let i = index + 1
  let text = '['
  if (pattern[i] === '^') {
    text += '^'
    i++
  }
  // Java takes a bracket here as itself, JavaScript as the end.
  if (pattern[i] === ']') return new Refusal(i, 'a ] at the start of a class')
  for (; i < pattern.length; ) {
    const letter = pattern[i]!
    if (letter === ']') return { text: `${text}]`, length: i + 1 - index }
    if (letter === '[') return new Refusal(i, 'a class within a class')
    if (letter === '&' && pattern[i + 1] === '&') return new Refusal(i, 'an intersection of classes')
    if (letter === '\\') {
      const escaped = escapeOf(pattern, i, true)
      if (escaped instanceof Refusal) return escaped
      text += escaped.text
      i += escaped.length
    } else {
      text += letter
      i++
    }
  }
  return new Refusal(index, 'a class without its end')
}
