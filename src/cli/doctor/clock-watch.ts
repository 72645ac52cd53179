/**
 * How far this machine's clock is from the service's, by the Date of its answers.
 * Invariant: answers that carry an error count too, since a wrong clock is refused by one.
 */
import type { KinesisClient } from '@aws-sdk/client-kinesis'
import { instantOfHttpDate } from '../arguments/units.ts'
import type { Session } from '../session.ts'
import type { Check } from './check.ts'

const WARN_MS = 60_000
/** The service refuses signatures that are five minutes off. */
const FAIL_MS = 240_000

export class ClockWatch {
  readonly #session: Session
  #skewMs: number | undefined
  #slowestMs = 0

  constructor(session: Session, client: KinesisClient) {
    this.#session = session
    const { requestHandler } = client.config
    const handle = requestHandler.handle.bind(requestHandler)
    const { clock } = session.host
    requestHandler.handle = async (...args) => {
      const startMs = clock.nowMs()
      const answer = await handle(...args)
      this.#slowestMs = Math.max(this.#slowestMs, clock.nowMs() - startMs)
      this.#see(answer.response.headers)
      return answer
    }
  }

  /** Returns what the answers told; nothing when there was none. */
  checks(): readonly Check[] {
    if (this.#skewMs === undefined) return []
    const seconds = Math.round(this.#skewMs / 1000)
    const size = Math.abs(this.#skewMs)
    const message =
      size < 1500
        ? 'as the service has it'
        : `${Math.abs(seconds)} s ${seconds > 0 ? 'ahead of' : 'behind'} the service`
    const status = size > FAIL_MS ? 'fail' : size > WARN_MS ? 'warn' : 'pass'
    const fix =
      status === 'pass'
        ? undefined
        : "set this machine's clock (NTP, chrony): the service refuses signatures five minutes off"
    const latency: Check = {
      id: 'latency',
      status: 'pass',
      message: `slowest answer ${Math.round(this.#slowestMs)} ms`
    }
    return [{ id: 'clock', status, message, fix }, latency]
  }

  #see(headers: Readonly<Record<string, string>>): void {
    const [, date] = Object.entries(headers).find(([name]) => name.toLowerCase() === 'date') ?? []
    const serviceMs = date === undefined ? undefined : instantOfHttpDate(date)
    if (serviceMs !== undefined) this.#skewMs = this.#session.host.wallMs() - serviceMs
  }
}
