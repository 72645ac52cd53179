/**
 * The options of test doubles, held against rules before anything is made.
 * Invariant: throws OptionsError (KPL_ERR_INVALID_OPTIONS), with every fault, at the call: a test fails where it is wrong, not in a
 * request later.
 */
import {
  ANY,
  FLAG,
  FUNCTION,
  having,
  numberFrom,
  type OptionRule,
  type OptionRules,
  optionFaults,
  TEXT
} from '../consumer/deaggregate/given-options.ts'
import { OptionsError } from '../model/errors.ts'
import { kindOf } from '../model/records.ts'

export { ANY, FLAG, FUNCTION, numberFrom, TEXT }

export const COUNT: OptionRule = numberFrom(0)
export const CLOCK: OptionRule = having('nowMs', 'schedule')
export const KINESIS: OptionRule = { ...having('listShards', 'storedRecords'), must: 'a FakeKinesis' }
export const FAULTS: OptionRule = { ...having('add', 'decide'), must: 'a FaultPlan' }
export const DURATION: OptionRule = numberFrom(0)
export const PORT: OptionRule = numberFrom(0, 65_535)

/** `call` begins each message: `FakeKinesis: nowMs is missing`. An option of `needed` has to be there. */
export function assertGiven<Options>(
  call: string,
  options: unknown,
  rules: OptionRules<Options>,
  needed: readonly string[] = []
): void {
  const faults = optionFaults(options, rules, 'options')
  const missing = needed.filter(name => Object(options)[name] === undefined).map(name => `${name} is missing`)
  const all = [...missing, ...faults].map(fault => `${call}: ${fault}`)
  if (all.length > 0) throw new OptionsError(all)
}

/** For an argument that is not an object of options. */
export function assertArgument(call: string, name: string, { must, isMet }: OptionRule, value: unknown): void {
  if (!isMet(value)) throw new OptionsError([`${call}: ${name} must be ${must}, got ${kindOf(value)}`])
}
