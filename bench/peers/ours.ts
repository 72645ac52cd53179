/**
 * This library as a contestant.
 * Invariant: a record that fails, fails the run.
 */
import type { ProducerOptions } from '../../src/index.ts'
import { OPTIONS } from '../../src/model/options.ts'
import { type Call, pump, source } from '../harness/pump.ts'
import { sinkProducer } from '../sink/producer.ts'
import type { Contestant, ContestantSetting } from './contestant.ts'

/** Whether this build can write CBOR; a base of a comparison may not. */
export const hasCbor: boolean = 'wireFormat' in OPTIONS

export function openOurs(call: Call, more: Partial<ProducerOptions> = {}): (setting: ContestantSetting) => Contestant {
  return ({ endpoint, pool }) => {
    const producer = sinkProducer(endpoint, more)
    return {
      drive: count => pump(producer, call, source(pool), count),
      close: async () => {
        await producer.close()
      }
    }
  }
}
