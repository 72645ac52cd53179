/**
 * Programs that write, rotate, truncate and delete one log, and the books of what a follower owes.
 * The oracle: a whole line is `<generation>:<number>;`. It is owed unless it was destroyed, or taken out of sight, before the follower could see it.
 */
import type { Inode, ModelFiles } from './model-files.ts'

/** A follower that had this long has seen what there is. */
const SEEN_AFTER_MS = 3_000

interface Content {
  readonly name: number
  inode: Inode
  /** When its first whole line was written. */
  firstAtMs: number | undefined
  /** The follower has read some of it, and has saved that. */
  isKnown: boolean
}

interface Owed {
  readonly content: Content
  readonly atMs: number
}

export interface WriterOptions {
  readonly log: string
  /** Whether the globs name the rotated files. */
  readonly areRotatedSeen: boolean
  readonly nowMs: () => number
  readonly isDelivered: (line: string) => boolean
}

export class ModelWriter {
  readonly #files: ModelFiles
  readonly #options: WriterOptions
  readonly #contents: Content[] = []
  #sequence = 0
  /** The rest of a line whose beginning is written. */
  #rest = ''
  readonly #owed = new Map<string, Owed>()
  /** Since when a follower runs and may read. */
  readingSinceMs: number | undefined

  constructor(files: ModelFiles, options: WriterOptions) {
    this.#files = files
    this.#options = options
  }

  get owedLines(): readonly string[] {
    return [...this.#owed.keys()]
  }

  append(count: number): void {
    const content = this.#current()
    let text = ''
    for (let i = 0; i < count; i++) {
      const line = `${content.name}:${this.#sequence++};`
      text += this.#rest === '' ? `${line}\n` : this.#rest
      this.#rest = ''
      this.#owed.set(line, { content, atMs: this.#options.nowMs() })
    }
    content.firstAtMs ??= this.#options.nowMs()
    this.#files.append(this.#options.log, text)
  }

  /** The beginning of a line. */
  appendPart(): void {
    const content = this.#current()
    if (this.#rest !== '') return
    const line = `${content.name}:${this.#sequence};\n`
    const cut = 1 + (this.#sequence % (line.length - 1))
    this.#rest = line.slice(cut)
    this.#files.append(this.#options.log, line.slice(0, cut))
  }

  create(): void {
    if (!this.#isThere) this.#begin(this.#files.create(this.#options.log))
  }

  rename(): void {
    if (!this.#isThere) return
    this.#leave(this.#current())
    this.#shift()
    this.#files.rename(this.#options.log, `${this.#options.log}.1`)
  }

  copyTruncate(): void {
    if (!this.#isThere) return
    const { log } = this.#options
    const content = this.#current()
    const inode = this.#files.at(log)
    this.#leave(content)
    this.#shift()
    content.inode = this.#files.copy(log, `${log}.1`)
    this.#files.truncate(log)
    this.#begin(inode)
  }

  /** Deletes the oldest file of the log. */
  delete(): void {
    const paths = [...this.#files.names.keys()].filter(path => path.startsWith(this.#options.log))
    const path = paths.sort((a, b) => b.length - a.length || (a < b ? 1 : -1))[0]
    if (path === undefined) return
    this.look()
    const inode = this.#files.at(path)
    this.#files.unlink(path)
    const { readingSinceMs } = this
    const seenToMs = this.#options.nowMs() - SEEN_AFTER_MS
    const isSeen = ({ atMs }: Owed) => readingSinceMs !== undefined && readingSinceMs <= seenToMs && atMs <= seenToMs
    this.#drop(owed => owed.content.inode === inode && !isSeen(owed))
  }

  /** The process ended: what only its descriptors held is gone. */
  processEnded(): void {
    this.look()
    this.readingSinceMs = undefined
    const there = new Set(this.#files.names.values())
    this.#drop(({ content }) => !there.has(content.inode))
  }

  /** Notes what a follower has seen by now. */
  look(): void {
    const { readingSinceMs } = this
    const seenToMs = this.#options.nowMs() - SEEN_AFTER_MS
    if (readingSinceMs === undefined || readingSinceMs > seenToMs) return
    for (const content of this.#contents) if ((content.firstAtMs ?? seenToMs + 1) <= seenToMs) content.isKnown = true
  }

  get #isThere(): boolean {
    return this.#files.names.has(this.#options.log)
  }

  #current(): Content {
    if (!this.#isThere) this.create()
    return this.#contents.at(-1)!
  }

  #begin(inode: Inode): void {
    this.#contents.push({ name: this.#contents.length, inode, firstAtMs: undefined, isKnown: false })
    this.#sequence = 0
    this.#rest = ''
  }

  /** The content goes to a rotated file. Where no glob names that, only what is known can be found again. */
  #leave(content: Content): void {
    this.look()
    const isOutOfSight = !this.#options.areRotatedSeen && !content.isKnown
    if (isOutOfSight) this.#drop(owed => owed.content === content)
  }

  #drop(isGone: (owed: Owed) => boolean): void {
    for (const [line, owed] of this.#owed) if (isGone(owed) && !this.#options.isDelivered(line)) this.#owed.delete(line)
  }

  /** .1 to .2 and so on. */
  #shift(): void {
    const { log } = this.#options
    let last = 1
    while (this.#files.names.has(`${log}.${last}`)) last++
    for (let n = last - 1; n >= 1; n--) this.#files.rename(`${log}.${n}`, `${log}.${n + 1}`)
  }
}
