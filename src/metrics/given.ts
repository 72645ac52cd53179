/**
 * The arguments of exporters, held against rules before they are used.
 * Invariant: throws OptionsError (KPL_ERR_INVALID_OPTIONS), with every fault, at the call. A fault names the argument and the kind of
 * its value.
 */
import { type OptionRules, oneOf, optionFaults, wholeNumberFrom } from '../consumer/deaggregate/given-options.ts'
import { OptionsError } from '../model/errors.ts'
import { kindOf } from '../model/records.ts'
import type { ProducerStats } from '../stats/stats.ts'

/** The rules of options that several exporters have. */
export const GRANULARITY_RULES = { granularity: oneOf('stream', 'shard'), maxShards: wholeNumberFrom(0) }

/** `call` is what the message begins with: `prometheusText(producers, options)`. */
export function assertGivenOptions<Options>(call: string, options: unknown, rules: OptionRules<Options>): void {
  const faults = optionFaults(options, rules, 'options')
  if (faults.length > 0) throw new OptionsError(faults.map(fault => `${call}: ${fault}`))
}

/** Throws unless `source` has a function `stats`, as a KinesisProducer has. `name`: of the argument. */
export function assertSource(call: string, source: unknown, name: string): void {
  if (isSource(source)) return
  const hint = isSnapshot(source) ? '; give the producer itself, not its stats()' : ''
  throw new OptionsError([`${call}: ${name} must be a KinesisProducer, got ${kindOf(source)}${hint}`])
}

/** Throws unless `stats` is what `stats()` of a producer returned. */
export function assertSnapshot(call: string, stats: unknown): void {
  if (isSnapshot(stats)) return
  const hint = isSource(stats) ? '; give its stats(), not the producer' : ''
  throw new OptionsError([`${call}: stats must be the result of producer.stats(), got ${kindOf(stats)}${hint}`])
}

export function isSource(value: unknown): value is { stats(): ProducerStats } {
  return typeof Object(value)['stats'] === 'function'
}

function isSnapshot(value: unknown): boolean {
  const { streams, bufferedRecords } = Object(value) as Record<string, unknown>
  return typeof streams === 'object' && streams !== null && typeof bufferedRecords === 'number'
}
