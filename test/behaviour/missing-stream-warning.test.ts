/** The warning of a stream that Kinesis does not know, held against the fate of the records. */
import { expect, test, vi } from 'vitest'
import { KinesisProducer } from '../../src/producer/kinesis-producer.ts'
import { Harness, STREAM } from '../support/harness.ts'

test('it says when the records wait and when they fail, and so it comes', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})

  const [known, denied, missing] = [
    await fateOf({ creatingMs: 20_000 }),
    await fateOf({ creatingMs: 20_000, deniesSummary: true }),
    await fateOf({ shardCount: 0 })
  ]

  expect(warn.mock.calls.map(([text]) => String(text).replace(/^.*not found\. /, ''))).toEqual([
    'Its records wait for up to recordTtlMs while DescribeStreamSummary says CREATING. ' +
      'Otherwise they fail (KPL_ERR_REJECTED). A logger shows more.'
  ])
  expect({ known, denied, missing }).toEqual({
    known: 'stored',
    denied: 'KPL_ERR_REJECTED',
    missing: 'KPL_ERR_REJECTED'
  })
})

interface World {
  readonly creatingMs?: number
  readonly shardCount?: number
  readonly deniesSummary?: boolean
}

/** The outcome of a record that is put at once, by a producer without a logger. */
async function fateOf({ deniesSummary = false, ...options }: World): Promise<string> {
  const harness = new Harness(options)
  const { clock, transport, faults } = harness
  const action = { kind: 'failRequest', errorCode: 'AccessDeniedException', statusCode: 400 } as const
  if (deniesSummary) faults.add({ match: { operation: 'DescribeStreamSummary' }, action })
  const producer = new KinesisProducer({ streamName: STREAM }, { transport, clock })
  let fate = 'open'
  const put = producer.put({ partitionKey: 'k', data: 'v' }).then(
    () => {
      fate = 'stored'
    },
    error => {
      fate = error.code
    }
  )
  await harness.settle(put)
  return fate
}
