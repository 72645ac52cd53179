/**
 * Errors on stderr: `error CODE: message`, and `  fix: ...` the first time.
 * Invariant: of one code at most `MAX_LINES` lines are written in `WINDOW_MS`; the others are counted, and a line has the count.
 */
import type { Timer } from '../../index.ts'
import type { Host } from '../ports.ts'

const MAX_LINES = 5
const WINDOW_MS = 10_000

interface Spell {
  readonly kind: 'error' | 'warning'
  sinceMs: number
  shownCount: number
  hiddenCount: number
}

interface Told {
  readonly kind: Spell['kind']
  readonly code: string
  readonly message: string
  readonly fix: string | undefined
  readonly times: number
}

export class ErrorLines {
  readonly #host: Pick<Host, 'stderr' | 'clock'>
  readonly #counts = new Map<string, number>()
  readonly #spells = new Map<string, Spell>()
  #timer: Timer | undefined

  constructor(host: Pick<Host, 'stderr' | 'clock'>) {
    this.#host = host
  }

  /** Lines of each code, written or counted. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts)
  }

  /** Counts an error and writes it, unless too many of its code were written lately. `times`: so many like it at once. */
  tell(code: string, message: string, fix?: string, times = 1): void {
    const before = this.#counts.get(code) ?? 0
    this.#counts.set(code, before + times)
    this.#show({ kind: 'error', code, message, fix: before === 0 ? fix : undefined, times })
  }

  /** Writes a warning, with the same bound; it is no error, so it is not counted as one. */
  warn(code: string, message: string): void {
    this.#show({ kind: 'warning', code, message, fix: undefined, times: 1 })
  }

  /** Writes the counts that are not told yet. */
  close(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    for (const [code, spell] of this.#spells) this.#tellHidden(code, spell)
    this.#spells.clear()
  }

  #show({ kind, code, message, fix, times }: Told): void {
    const spell = this.#spellOf(kind, code)
    const isHidden = spell.shownCount >= MAX_LINES
    spell.hiddenCount += isHidden ? times : times - 1
    if (spell.hiddenCount > 0) this.#watch()
    if (isHidden) return
    spell.shownCount++
    this.#write(`${kind} ${code}: ${printable(message)}${fix === undefined ? '' : `\n  fix: ${fix}`}`)
  }

  #spellOf(kind: Spell['kind'], code: string): Spell {
    const nowMs = this.#host.clock.nowMs()
    const spell = this.#spells.get(code)
    if (spell !== undefined && nowMs - spell.sinceMs < WINDOW_MS) return spell
    if (spell !== undefined) this.#tellHidden(code, spell)
    const next = { kind, sinceMs: nowMs, shownCount: 0, hiddenCount: 0 }
    this.#spells.set(code, next)
    return next
  }

  #watch(): void {
    if (this.#timer !== undefined) return
    const { clock } = this.#host
    this.#timer = clock.schedule(clock.nowMs() + WINDOW_MS, () => {
      this.#timer = undefined
      for (const [code, spell] of this.#spells) this.#tellHidden(code, spell)
    })
    this.#timer.unref?.()
  }

  #tellHidden(code: string, spell: Spell): void {
    if (spell.hiddenCount > 0) this.#write(`${spell.kind} ${code}: ${spell.hiddenCount} more of the same`)
    spell.hiddenCount = 0
  }

  #write(text: string): void {
    void this.#host.stderr.write(`${text}\n`)
  }
}

/** Text of others could move the cursor of a terminal. */
function printable(text: string): string {
  return text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, ' ')
}
