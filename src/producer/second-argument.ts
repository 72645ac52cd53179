/**
 * The object that a call takes beside its main argument: `put(record, { signal })`, `close({ timeoutMs })`.
 * Example: `close({ timeout: 5000 })` -> "close takes { timeoutMs }; timeout is not a field: write timeoutMs".
 * Invariant: a field that the call does not read is a fault, because its author meant something by it. Each field is read once;
 * no value is repeated.
 */
import { OptionsError } from '../model/errors.ts'
import { isPlainObject, kindOf, shownName } from '../model/records.ts'

/** The fields that a call takes. */
export interface Call<Field extends string> {
  /** Its name. */
  readonly name: string
  readonly fields: readonly Field[]
  /** The right form for a wrong one. */
  readonly hint?: (given: unknown) => string | undefined
}

/** Returns the fields of `given`. Throws OptionsError for a value that is not such an object, and for one that throws when it is read. */
export function fieldsOf<Field extends string>(call: Call<Field>, given: unknown): Partial<Record<Field, unknown>> {
  if (given === undefined) return {}
  let fault: string | undefined
  try {
    fault = faultOf(call, given)
    if (fault === undefined) return read(call, given)
  } catch (cause) {
    throw new OptionsError([`${takes(call)}; reading the argument (${kindOf(given)}) threw`], { cause })
  }
  const hint = call.hint?.(given)
  throw new OptionsError([`${takes(call)}${fault}${hint === undefined ? '' : `; ${hint}`}`])
}

/** Returns the error for a call that was given more than it takes: `putAll(source, { concurrency: 5 })`. */
export function surplusFault(call: string, surplus: unknown): OptionsError {
  return new OptionsError([`${call} takes no other argument, got ${kindOf(surplus)} as well`])
}

function takes({ name, fields }: Call<string>): string {
  return `${name} takes { ${fields.join(', ')} }`
}

function read<Field extends string>({ fields }: Call<Field>, given: unknown): Partial<Record<Field, unknown>> {
  const values: Partial<Record<Field, unknown>> = {}
  for (const name of fields) values[name] = Reflect.get(Object(given), name)
  return values
}

function faultOf({ fields }: Call<string>, given: unknown): string | undefined {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return `, got ${kindOf(given)}`
  const unknown = Object.keys(given).filter(name => !fields.includes(name))
  if (unknown.length > 0) return `; ${unknown.map(shownName).join(', ')} is not a field${meant(fields, unknown)}`
  // An AbortSignal or a Map has no fields to be unknown, and none of ours.
  const isRead = isPlainObject(given) || fields.some(name => name in given)
  return isRead ? undefined : `, got ${kindOf(given)}`
}

function meant(fields: readonly string[], unknown: readonly string[]): string {
  const written = unknown.map(name => name.toLowerCase())
  const nearest = fields.length === 1 ? fields : fields.filter(name => written.includes(name.toLowerCase()))
  return nearest.length === 0 ? '' : `: write ${nearest.join(', ')}`
}
