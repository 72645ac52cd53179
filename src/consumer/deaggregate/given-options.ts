/**
 * Options of a caller, held against a table of rules: names that there are not, and values that will not do.
 * Example: `{ onCorrupt: 'throws', outOfRnge: 1 }` -> "onCorrupt must be 'plain', 'throw' or 'skip', got string; outOfRnge is not
 * an option, did you mean outOfRange?".
 * Invariant: pure; a fault names the option and the kind of its value, and no value but a number.
 */
import { ConsumerError, kindOfInput } from './consumer-error.ts'

/** The rule of an option. `undefined` is always allowed: it is a missing option. */
export interface OptionRule {
  /** Ends the sentence "x must be ...". */
  readonly must: string
  readonly isMet: (value: unknown) => boolean
}

/** A rule for every option there is. */
export type OptionRules<Options> = Readonly<Record<keyof Options & string, OptionRule>>

const MAX_NAME_CHARACTERS = 64

export const FLAG: OptionRule = { must: 'true or false', isMet: value => typeof value === 'boolean' }
export const TEXT: OptionRule = { must: 'a string', isMet: value => typeof value === 'string' }
/** For an option that is checked elsewhere. */
export const ANY: OptionRule = { must: 'given', isMet: () => true }
export const FUNCTION: OptionRule = { must: 'a function', isMet: value => typeof value === 'function' }

/** One of a few words. */
export function oneOf(...words: readonly string[]): OptionRule {
  const quoted = words.map(word => `'${word}'`)
  const must = `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`
  return { must, isMet: value => words.some(word => word === value) }
}

/** A number within bounds, both included. */
export function numberFrom(min: number, max: number = Number.POSITIVE_INFINITY): OptionRule {
  const isMet = (value: unknown): boolean => typeof value === 'number' && value >= min && value <= max
  return { must: `a number from ${min}${max < Number.POSITIVE_INFINITY ? ` to ${max}` : ''}`, isMet }
}

/** A whole number within bounds, both included. */
export function wholeNumberFrom(min: number, max?: number): OptionRule {
  const { must, isMet } = numberFrom(min, max)
  return { must: must.replace('a', 'a whole'), isMet: value => Number.isInteger(value) && isMet(value) }
}

/** An object that has these methods. */
export function having(...methods: readonly string[]): OptionRule {
  const isMet = (value: unknown): boolean => methods.every(method => typeof Object(value)[method] === 'function')
  return { must: `an object with ${methods.map(method => `${method}()`).join(' and ')}`, isMet }
}

/** Returns every fault of the options, one sentence each. O(options). */
export function optionFaults<Options>(options: unknown, rules: OptionRules<Options>, name: string): string[] {
  const isObject = typeof options === 'object' && options !== null && !(Symbol.iterator in options)
  if (!isObject) return [`${name} must be an object, got ${kindOfInput(options)}`]
  const faults: string[] = []
  for (const [option, value] of Object.entries(options)) {
    const rule = Object.hasOwn(rules, option) ? (rules as Readonly<Record<string, OptionRule>>)[option] : undefined
    if (rule === undefined) faults.push(unknownName(option, Object.keys(rules)))
    else if (value !== undefined && !rule.isMet(value)) {
      faults.push(`${option} must be ${rule.must}, got ${typeof value === 'number' ? value : kindOfInput(value)}`)
    }
  }
  return faults
}

/** Throws KPL_ERR_INVALID_INPUT with every fault of the options. */
export function assertOptions<Options>(options: unknown, rules: OptionRules<Options>, name: string = 'options'): void {
  const faults = optionFaults(options, rules, name)
  if (faults.length > 0) throw new ConsumerError('KPL_ERR_INVALID_INPUT', faults.join('; '))
}

function unknownName(given: string, names: readonly string[]): string {
  const name = given.slice(0, MAX_NAME_CHARACTERS).replace(/[^ -~]/g, '?')
  const [nearest] = names.toSorted((left, right) => distance(name, left) - distance(name, right))
  const isNear = distance(name, nearest!) <= Math.max(1, name.length / 3)
  return `${name} is not an option, ${isNear ? `did you mean ${nearest}?` : `there are ${names.join(', ')}`}`
}

/** Returns how many letters of either name the other does not have, whatever their order. Lists here are short. */
function distance(from: string, to: string): number {
  return Math.max(lettersLeft(from, to), lettersLeft(to, from))
}

function lettersLeft(name: string, used: string): number {
  return [...used.toLowerCase()].reduce((rest, letter) => rest.replace(letter, ''), name.toLowerCase()).length
}
