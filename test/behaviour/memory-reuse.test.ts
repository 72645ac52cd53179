import { describe, expect, test } from 'vitest'
import { deaggregate } from '../../src/consumer/deaggregate.ts'
import { KinesisProducer, type PutRecordsRequest, type PutRecordsResponse, TransportError } from '../../src/index.ts'
import { DiscardTransport } from '../../src/testing/index.ts'

const ENVELOPE_RECORDS = 10
const RECORD_BYTES = 5000

/** Keeps what it was sent; `answer` may throw in place of an acknowledgement. */
class KeepingTransport extends DiscardTransport {
  override readonly readsUntilAnswered: boolean
  readonly kept: Uint8Array[] = []
  readonly #answer: (requestNumber: number) => void

  constructor(readsUntilAnswered: boolean, answer: (requestNumber: number) => void = () => {}) {
    super({ shards: 1 })
    this.readsUntilAnswered = readsUntilAnswered
    this.#answer = answer
  }

  override async putRecords(request: PutRecordsRequest): Promise<PutRecordsResponse> {
    const requestNumber = this.kept.push(...request.entries.map(({ data }) => data))
    this.#answer(requestNumber)
    return super.putRecords(request)
  }
}

/** Puts one full envelope after the other, each when the former was acknowledged. */
async function putEnvelopes(transport: KeepingTransport, count: number): Promise<void> {
  const producer = new KinesisProducer({ streamName: 's', retryBaseMs: 1 }, { transport })
  for (let n = 0; n < count; n++) {
    const data = Buffer.alloc(RECORD_BYTES, n)
    const puts = Array.from({ length: ENVELOPE_RECORDS }, () => producer.put({ partitionKey: 'k', data }))
    await producer.flush()
    await Promise.all(puts)
  }
  await producer.close()
}

function firstBytes(records: readonly Uint8Array[]): number[] {
  return records.map(record => [...deaggregate(record)][0]!.data[0]!)
}

describe('the memory of an envelope that was acknowledged', () => {
  test('is the next one’s, when the transport says that it reads only until it has answered', async () => {
    const transport = new KeepingTransport(true)

    await putEnvelopes(transport, 4)

    expect([new Set(transport.kept.map(({ buffer }) => buffer)).size, firstBytes(transport.kept)]).toEqual([
      1,
      [3, 3, 3, 3]
    ])
  })

  test('stays as it is, when the transport says nothing of the kind', async () => {
    const transport = new KeepingTransport(false)

    await putEnvelopes(transport, 4)

    expect(firstBytes(transport.kept)).toEqual([0, 1, 2, 3])
  })

  test('stays as it is after an attempt in doubt, for somebody may still be reading', async () => {
    const transport = new KeepingTransport(true, requestNumber => {
      if (requestNumber > 1) return
      throw new TransportError({ errorCode: 'TimeoutError', message: 'lost', persisted: 'maybe' })
    })

    await putEnvelopes(transport, 3)

    // Sent twice, kept out of reuse; then two that share their memory.
    expect(firstBytes(transport.kept)).toEqual([0, 0, 2, 2])
  })
})
