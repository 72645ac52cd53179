import { expect, test, vi } from 'vitest'
vi.mock('../src/aws/transport.ts', () => ({ createAwsTransport: () => ({}) }))
const { Harness } = await import('./support/harness.ts')

test('end to end', async () => {
  const h = new Harness({ shardCount: 2 })
  const slots = Array.from({ length: 1000 }, (_, i) => h.put(`k${i % 50}`, `data-${i}`))
  await h.settle(h.producer.flush())
  expect(slots.filter(s => s.settled?.result).length).toBe(1000)
  expect(h.stored().length).toBe(1000)
  console.log(h.producer.stats().streams.orders, h.clock.nowMs())
  await h.settle(h.producer.close())
  expect(h.clock.pendingCount).toBe(0)
})
test('split', async () => {
  const h = new Harness({ shardCount: 2, throughputLimits: false })
  const slots: any[] = []
  for (let i = 0; i < 20000; i++) {
    slots.push(h.put(`k${i % 500}`, `data-${i}`))
    if (i % 100 === 0) await h.pass(7)
    if (i === 5000) h.kinesis.reshard('orders', 5)
    if (i === 12000) h.kinesis.reshard('orders', 3)
  }
  await h.settle(h.producer.flush())
  expect(slots.filter(s => s.settled?.result).length).toBe(20000)
  console.log(h.producer.stats().streams.orders, h.clock.nowMs(), h.stored().length)
  await h.settle(h.producer.close())
  expect(h.producer.stats().bufferedBytes).toBe(0)
})
