/**
 * The edge of `Spells`: their lines go to the logger, their wake-ups to the clock.
 * Invariant: a wake-up for a log line keeps no process alive, and there is none after `close`.
 */
import type { Clock, Logger, Timer } from '../model/ports.ts'
import { LOG_LEVELS } from '../stats/log-line.ts'
import { Spells } from '../stats/spells.ts'

export interface SpellLogOptions {
  readonly logger: Logger | undefined
  readonly clock: Clock
  warn(code: string, message: string): void
  endpoint(): string | undefined
}

export class SpellLog {
  readonly spells: Spells
  readonly #clock: Clock
  #timer: Timer | undefined

  constructor({ logger, clock, warn, endpoint }: SpellLogOptions) {
    this.#clock = clock
    this.spells = new Spells({
      say: logger && (({ message, fields }) => logger[LOG_LEVELS[message]](message, fields)),
      warn,
      endpoint,
      wakeAt: atMs => {
        this.#timer = clock.schedule(atMs, () => this.spells.tick(clock.nowMs()))
        this.#timer.unref?.()
      }
    })
  }

  close(): void {
    this.#timer?.cancel()
    this.spells.end(this.#clock.nowMs())
  }
}
