/**
 * The object that a call takes beside its main argument: `put(record, { signal })`, `close({ timeoutMs })`.
 * Example: `close({ timeout: 5000 })` -> "close takes { timeoutMs }; timeout is no such field: write timeoutMs".
 * Invariant: a field that nobody would read is a fault, for whoever wrote it meant something by it. No value is repeated.
 */
import { OptionsError } from '../model/errors.ts'
import { kindOf } from '../model/records.ts'

const MAX_NAME_CHARACTERS = 64

/** What is wrong with `given`, or undefined. `names`: the fields that `call` reads; `hint`: what to write for something else. */
export function argumentFault(
  call: string,
  given: unknown,
  names: readonly string[],
  hint?: (given: unknown) => string | undefined
): OptionsError | undefined {
  if (given === undefined) return undefined
  const takes = `${call} takes { ${names.join(', ')} }`
  const advice = hint?.(given)
  const end = advice === undefined ? '' : `; ${advice}`
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    return new OptionsError([`${takes}, got ${kindOf(given)}${end}`])
  }
  const unknown = Object.keys(given).filter(name => !names.includes(name))
  if (unknown.length === 0) return undefined
  const meant = names.length === 1 ? `: write ${names[0]}` : ''
  const shown = unknown.map(name => name.slice(0, MAX_NAME_CHARACTERS).replace(/[^\x20-\x7e]/g, '?')).join(', ')
  return new OptionsError([`${takes}; ${shown} is no such field${meant}${end}`])
}
