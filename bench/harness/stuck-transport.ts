/**
 * A transport that can stop answering, as a service in an outage does.
 * Invariant: what it was asked meanwhile is answered once it is released.
 */
import type { PutRecordsRequest, PutRecordsResponse } from '../../src/index.ts'
import { DiscardTransport } from '../../src/testing/index.ts'

export class StuckTransport extends DiscardTransport {
  #isStuck = false
  readonly #waiting: (() => void)[] = []

  constructor(shards: number) {
    super({ shards })
  }

  stick(): void {
    this.#isStuck = true
  }

  release(): void {
    this.#isStuck = false
    for (const resume of this.#waiting.splice(0)) resume()
  }

  override async putRecords(request: PutRecordsRequest): Promise<PutRecordsResponse> {
    if (this.#isStuck) await new Promise<void>(resolve => this.#waiting.push(resolve))
    return super.putRecords(request)
  }
}
