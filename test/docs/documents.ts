/**
 * The user documentation as the tests of this folder read it.
 * Invariant: files are changed only by `generated`, only between its own two markers, and only with UPDATE_DOCS=1.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ROOT = new URL('../../', import.meta.url)
const isUpdating = process.env['UPDATE_DOCS'] === '1'

/** A fenced block of a document. */
export interface CodeBlock {
  readonly file: string
  /** The line of its first line, from 1. */
  readonly line: number
  readonly language: string
  readonly text: string
}

export interface TextFile {
  readonly name: string
  readonly text: string
}

/** README.md, SECURITY.md and docs/*.md, by their paths from the root. */
export const DOCUMENTS: readonly string[] = [
  'README.md',
  'SECURITY.md',
  ...readdirSync(new URL('docs/', ROOT))
    .filter(name => name.endsWith('.md'))
    .map(name => `docs/${name}`)
]

/** Every source file of the library but the fakes in `testing/`. */
export const SOURCES: readonly TextFile[] = readdirSync(new URL('src/', ROOT), { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.ts') && !name.startsWith('testing/'))
  .map(name => ({ name: `src/${name}`, text: read(`src/${name}`) }))

export function pathOf(file: string): string {
  return fileURLToPath(new URL(file, ROOT))
}

export function read(file: string): string {
  return readFileSync(new URL(file, ROOT), 'utf8')
}

/**
 * Returns `file` as it is and as it would be with `body` in its section `name`; with UPDATE_DOCS=1 writes it first.
 * A section stands between `<!-- name: ... -->` and `<!-- /name -->`, each on a line of its own.
 */
export function generated(
  file: string,
  name: string,
  body: string
): { readonly is: string; readonly shouldBe: string } {
  const section = new RegExp(`(<!-- ${name}: [^\\n]*-->\\n)[\\s\\S]*?(<!-- /${name} -->)`)
  const text = read(file)
  if (!section.test(text)) throw new Error(`${file} has no section ${name}`)
  const shouldBe = text.replace(section, (_, start: string, end: string) => `${start}${body}${end}`)
  if (isUpdating && shouldBe !== text) writeFileSync(new URL(file, ROOT), shouldBe)
  return { is: read(file), shouldBe }
}

/** Returns the same for a file that is generated as a whole. */
export function generatedFile(file: string, text: string): { readonly is: string; readonly shouldBe: string } {
  if (isUpdating) writeFileSync(new URL(file, ROOT), text)
  return { is: read(file), shouldBe: text }
}

/** Returns a Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`
  return line(head) + `|${'---|'.repeat(head.length)}\n` + rows.map(line).join('')
}

export function codeBlocks(file: string): CodeBlock[] {
  const blocks: CodeBlock[] = []
  let open: { line: number; language: string; lines: string[] } | undefined
  for (const [index, line] of read(file).split('\n').entries()) {
    const isFence = line.startsWith('```')
    if (isFence && open === undefined) open = { line: index + 2, language: line.slice(3).trim(), lines: [] }
    else if (isFence && open !== undefined) {
      blocks.push({ file, line: open.line, language: open.language, text: open.lines.join('\n') })
      open = undefined
    } else open?.lines.push(line)
  }
  if (open !== undefined) throw new Error(`${file} has a code block without an end at line ${open.line}`)
  return blocks
}

/** Returns a document without its code blocks and without what stands between back quotes. */
export function prose(file: string): string {
  return read(file)
    .replace(/^```[\s\S]*?^```/gm, '')
    .replace(/`[^`\n]*`/g, '``')
}

/** Returns the anchors that GitHub gives a document's headings. */
export function anchorsOf(file: string): ReadonlySet<string> {
  const anchors = new Set<string>()
  for (const [, heading] of read(file)
    .replace(/^```[\s\S]*?^```/gm, '')
    .matchAll(/^#{1,6} (.+)$/gm)) {
    const base = heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, '')
      .replaceAll(' ', '-')
    let anchor = base
    for (let repeat = 1; anchors.has(anchor); repeat++) anchor = `${base}-${repeat}`
    anchors.add(anchor)
  }
  return anchors
}
