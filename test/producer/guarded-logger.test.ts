import { expect, test } from 'vitest'
import { guardedLogger } from '../../src/producer/guarded-logger.ts'
import { VirtualClock } from '../../src/testing/index.ts'

function open() {
  const clock = new VirtualClock(1_000)
  const told: unknown[][] = []
  const tell =
    (level: string) =>
    (...args: unknown[]) =>
      void told.push([level, ...args])
  const logger = { debug: tell('debug'), info: tell('info'), warn: tell('warn'), error: tell('error') }
  return { clock, told, logger: guardedLogger(logger, clock) }
}

test('messages come through as they are, with their fields', () => {
  const { told, logger } = open()

  logger.warn('ListShards failed', { streamName: 'orders' })
  logger.debug('fine')

  expect(told).toEqual([
    ['warn', 'ListShards failed', { streamName: 'orders' }],
    ['debug', 'fine']
  ])
})

test('of one message a hundred are told in a minute, and the next one says how many were not', () => {
  const { clock, told, logger } = open()
  for (let i = 0; i < 250; i++) logger.error('a settle callback threw', { error: 'x' })
  const before = told.length

  clock.advanceTo(61_000)
  logger.error('a settle callback threw', { error: 'x' })

  expect([before, told.length, told.at(-1)]).toEqual([
    100,
    101,
    ['error', 'a settle callback threw', { error: 'x', suppressed: 150 }]
  ])
})

test('a flood of one message does not silence another', () => {
  const { told, logger } = open()
  for (let i = 0; i < 250; i++) logger.warn('one')

  logger.warn('another')

  expect(told.at(-1)).toEqual(['warn', 'another'])
})

test('a logger that throws is let be', () => {
  const clock = new VirtualClock(0)
  const fail = () => {
    throw new Error('full')
  }
  const logger = guardedLogger({ debug: fail, info: fail, warn: fail, error: fail }, clock)

  expect(() => logger.error('x')).not.toThrow()
})

test('a logger that rejects is no unhandled rejection', async () => {
  const escaped: unknown[] = []
  const keep = (error: unknown) => escaped.push(error)
  process.on('unhandledRejection', keep)
  const fail = () => Promise.reject(new Error('full'))
  const logger = guardedLogger({ debug: fail, info: fail, warn: fail, error: fail }, new VirtualClock(0))

  logger.error('x')
  await new Promise(resolve => setImmediate(resolve))

  process.off('unhandledRejection', keep)
  expect(escaped).toEqual([])
})
