/** The worst habits of the former documents, each as a pattern, so that they do not come back. */
import { existsSync, readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { DOCUMENTS, pathOf, read } from './documents.ts'

interface Habit {
  readonly name: string
  readonly pattern: RegExp
  /** A sentence that has the habit, and one that says the same without it. */
  readonly bad: string
  readonly good: string
}

const HABITS: readonly Habit[] = [
  {
    name: 'a clause in place of the subject',
    pattern: /^(?:What|Who|Whoever|Whatever|Whichever)\b.*[^?]$/,
    bad: 'What is buffered is lost.',
    good: 'The buffered records are lost.'
  },
  {
    name: '"for" in place of "because"',
    pattern:
      /[,;:] for (?!which )(?:\w+ ){1,3}(?:is|are|was|were|has|have|had|may|can|cannot|does|do|did|will|would|travels?|takes?|agrees?|reads?)\b/,
    bad: 'The record is refused, for nobody agrees on its bytes.',
    good: 'The record is refused, because decoders disagree on its bytes.'
  },
  {
    name: '"but for" in place of "except"',
    pattern: /\bbut for\b/i,
    bad: 'Tags are ignored, but for one.',
    good: 'Tags are ignored, except one.'
  },
  {
    name: '"well", except in "as well"',
    pattern: /(?<!\bas )\bwell\b(?!-)/i,
    bad: 'Keep the time to live well above it.',
    good: 'Keep the time to live far above it. The other option may change as well.'
  },
  {
    name: '"is told" in place of a call, a message or a result',
    pattern: /\b(?:am|is|are|was|were|be|been|being) told\b/i,
    bad: '`onError` is told of each one.',
    good: 'The handler calls `onError` for each one.'
  },
  {
    name: '"is none" in place of "is not a ..."',
    pattern: /(?<!\bthere )\b(?:is|are|was|were) none\b/i,
    bad: 'An event that is none is refused.',
    good: 'A value that is not an event is refused.'
  },
  {
    name: '"what is no ..." in place of "a value that is not a ..."',
    pattern: /\bwhat (?:is|are|was|were) (?:no|not)\b/i,
    bad: 'It throws for what is no list.',
    good: 'It throws for a value that is not a list.'
  },
  {
    name: 'old words',
    pattern:
      /\b(?:borne|mend(?:s|ed|ing)?|whoever|whichever is|anew|astray|whence|hence|thence|lest|ought|shall|whereby|thereby|therein|albeit)\b/i,
    bad: 'Mend the options and start anew.',
    good: 'Correct the options and start again.'
  },
  {
    name: 'idioms that a dictionary does not explain',
    pattern: /\b(?:all the same|of its own accord|can(?:not)? be had|feels? its way|in silence|at arm's length)\b/i,
    bad: 'It is stored all the same.',
    good: 'It is still stored. The name has the same value.'
  }
]

const SOURCES = readdirSync(pathOf('src'), { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'))
const EXAMPLES = ['examples/README.md', ...readdirSync(pathOf('examples')).map(name => `examples/${name}/README.md`)]
const PAGES = [...DOCUMENTS, 'CONTRIBUTING.md', ...EXAMPLES.filter(file => existsSync(pathOf(file)))]

test.each(PAGES)('%s has none of the worst habits', file => {
  expect(habitsIn(read(file))).toEqual([])
})

test.each(SOURCES)('the comments of src/%s have none of them either', file => {
  expect(commentsOf(read(`src/${file}`)).flatMap(habitsIn)).toEqual([])
})

describe.each(HABITS)('$name', ({ name, bad, good }) => {
  test('is found, and its correction is not', () => {
    const found = [bad, good].map(sentence => habitsIn(sentence).map(text => text.split(': ')[0]))

    expect([found[0]?.includes(name), found[1]]).toEqual([true, []])
  })
})

test('headings, code and questions are left alone', () => {
  const text = '# What is promised\n\n```ts\n// What is lost\n```\n\nWhat is lost? The field `whoever` is.\n'

  expect(habitsIn(text)).toEqual([])
})

/** Doc comments up to their examples, and line comments in a row. Without the stars and slashes. */
function commentsOf(source: string): string[] {
  const blocks = source.match(/\/\*\*[\s\S]*?\*\/|(?:^\s*\/\/.*\n)+/gm) ?? []
  return blocks.map(block =>
    block
      .replace(/@example[\s\S]*$/, '')
      .replace(/^\s*(?:\/\*\*|\*\/|\*|\/\/)/gm, '')
      .replace(/\*\/$/, '')
      .replace(/`[^`]*`/g, '``')
      .replace(/\b(?:Example|Invariant|Sequence|Source|Cost): /g, '')
      .trim()
  )
}

function habitsIn(text: string): string[] {
  return sentencesOf(text).flatMap(sentence =>
    HABITS.filter(({ pattern }) => pattern.test(sentence)).map(({ name }) => `${name}: ${sentence}`)
  )
}

/** The sentences of paragraphs, list items and table cells. Labels in bold, such as "What to do.", are headings. */
function sentencesOf(text: string): string[] {
  return text
    .replace(/^```[\s\S]*?^```/gm, '')
    .replace(/<!--[\s\S]*?-->/g, '')
    .replace(/^#.*$/gm, '')
    .replace(/`[^`\n]*`/g, '``')
    .replace(/\*\*What [^*]*\*\*/g, '')
    .split(/\n\s*\n|\n(?=\s*(?:[-*>|]|\d+\.) )|\|/)
    .map(block => block.replace(/^\s*(?:[-*>]|\d+\.) /, '').replace(/\s+/g, ' '))
    .flatMap(block => block.split(/(?<=[.!?:;]["')*]*) /))
    .map(sentence => sentence.trim())
    .filter(sentence => sentence !== '')
}
