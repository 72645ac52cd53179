/**
 * This library, with its defaults but for the rate limit: a sink has none, and the limiter would hold back.
 * Invariant: a record that fails, fails the run.
 */
import { KinesisProducer, OPTIONS } from '../../src/index.ts'
import { type Call, pump, source } from '../harness/pump.ts'
import { type Contestant, type ContestantSetting, CREDENTIALS, REGION, STREAM_NAME } from './contestant.ts'

const UNLIMITED_PERCENT = 1_000_000_000

/** Whether this build can write CBOR; a base of a comparison may not. */
export const hasCbor: boolean = 'wireFormat' in OPTIONS

export function openOurs(call: Call, more: object = {}): (setting: ContestantSetting) => Contestant {
  return ({ endpoint, pool }) => {
    const producer = new KinesisProducer({
      streamName: STREAM_NAME,
      region: REGION,
      credentials: CREDENTIALS,
      rateLimitPercent: UNLIMITED_PERCENT,
      endpoint,
      ...more
    })
    return {
      drive: count => pump(producer, call, source(pool), count),
      close: async () => {
        await producer.close()
      }
    }
  }
}
