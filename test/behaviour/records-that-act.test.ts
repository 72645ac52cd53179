/** Records whose fields are getters that use the producer: what they did counts as if it came before the put. */
import { expect, test } from 'vitest'
import type { ProducerError } from '../../src/index.ts'
import { Harness } from '../support/harness.ts'

test('a record that closes the producer while it is read is refused, and nothing waits for it', async () => {
  const harness = await new Harness().warm()
  const { producer } = harness
  const record = {
    partitionKey: 'k',
    get data() {
      void producer.close()
      return 'v'
    }
  }

  const thrown = await harness.settle(producer.put(record).catch((error: unknown) => error))

  expect((thrown as ProducerError).code).toBe('KPL_ERR_CLOSED')
  expect(producer.stats().bufferedRecords).toBe(0)
})

test('a record that fires its own signal while it is read is taken back', async () => {
  const harness = await new Harness().warm()
  const aborter = new AbortController()
  const record = {
    partitionKey: 'mine',
    get data() {
      aborter.abort()
      return 'v'
    }
  }

  const thrown = await harness.settle(
    harness.producer.put(record, { signal: aborter.signal }).catch((error: unknown) => error)
  )

  expect((thrown as ProducerError).code).toBe('KPL_ERR_ABORTED')
  expect(harness.stored().filter(({ partitionKey }) => partitionKey === 'mine')).toEqual([])
})
