/**
 * Users' own code at its worst: callbacks that throw what cannot be said, loggers that throw, providers and signals that
 * misbehave. In a process of its own, because a library that lets one of these through causes an unhandled rejection.
 * Argument: the server's endpoint. Its ListShards is refused, so that loggers have something to be told.
 * Invariant: each scenario ends, at the latest when its patience does.
 */
import { setTimeout } from 'node:timers/promises'
import { KinesisProducer, type Logger, type ProducerOptions } from '../../../src/index.ts'
import { SILENT } from '../../support/silent.ts'
import { finish, watchDisturbances } from './report.ts'

export interface HostileOutcome {
  /** `'stuck'`: close did not come back. */
  readonly closed: { readonly delivered: number; readonly failed: number } | 'stuck'
  readonly callbacks: number
  readonly unhandled: readonly string[]
}

export type HostileReport = Readonly<Record<string, HostileOutcome>>

const RECORDS = 20
const PATIENCE_MS = 1500

const [endpoint = ''] = process.argv.slice(2)
const options: ProducerOptions = {
  streamName: 'orders',
  region: 'us-east-1',
  endpoint,
  recordTtlMs: 10_000,
  credentials: { accessKeyId: 'any', secretAccessKey: 'any' }
}
const thrower = () => {
  throw new Error('a fault of the logger')
}
const throwing: Logger = { debug: thrower, info: thrower, warn: thrower, error: thrower }

const rejecter = () => Promise.reject(new Error('a fault of the logger'))

interface Scenario {
  readonly options: ProducerOptions
  readonly callback: () => void
}

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'callbacks throw an object without a text': {
    options: { logger: SILENT },
    callback: () => {
      throw { toString: null }
    }
  },
  'callbacks throw an error whose message throws': {
    options: { logger: SILENT },
    callback: () => {
      throw Object.defineProperty(new Error('x'), 'message', {
        get() {
          throw new Error('a fault of the getter')
        }
      })
    }
  },
  'callbacks throw and so does the logger': {
    options: { logger: throwing },
    callback: () => {
      throw new Error('a fault of the user')
    }
  },
  'the logger rejects': {
    options: { logger: { ...SILENT, warn: rejecter, error: rejecter } },
    callback: () => {}
  },
  'the logger throws': { options: { logger: throwing }, callback: () => {} }
}

async function play({ options: more, callback }: Scenario, unhandled: string[]): Promise<HostileOutcome> {
  unhandled.length = 0
  const producer = new KinesisProducer({ ...options, ...more })
  let callbacks = 0
  for (let index = 0; index < RECORDS; index++) {
    producer.tryPut({ partitionKey: `${index}`, data: '' }, () => {
      callbacks++
      callback()
    })
  }
  const patience = new AbortController()
  const closed = await Promise.race([
    producer.close(),
    setTimeout(PATIENCE_MS, 'stuck' as const, { signal: patience.signal })
  ])
  patience.abort()
  return { closed, callbacks, unhandled: [...unhandled] }
}

const { unhandled } = watchDisturbances()
const report: Record<string, HostileOutcome> = {}
for (const [name, scenario] of Object.entries(SCENARIOS)) report[name] = await play(scenario, unhandled)
finish(report)
// What is stuck would hold the process.
process.once('disconnect', () => process.exit())
