/** A producer lets go of what it was given once that has settled. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { Harness } from '../support/harness.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

test('the list of a putMany is garbage once it has settled, although nothing is put after it', async () => {
  const harness = await new Harness().warm()
  const putList = async (): Promise<WeakRef<object>> => {
    const list = Array.from({ length: 1000 }, (_, i) => ({ partitionKey: `k${i}`, data: `d${i}` }))
    const put = harness.producer.putMany(list)
    await harness.settle(harness.producer.flush())
    await put
    return new WeakRef(list)
  }

  const list = await putList()
  for (let turn = 0; turn < 10 && list.deref() !== undefined; turn++) {
    await new Promise(resolve => setImmediate(resolve))
    collect()
  }

  expect(list.deref()).toBeUndefined()
})
