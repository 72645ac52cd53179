/**
 * The arguments of the producer's constructor and calls beside options and records: what each takes, and what it makes of something else.
 * Invariant: what is returned is of the right kind and was read once; no value is repeated, but numbers.
 */
import { InvalidRecordError, OptionsError } from '../model/errors.ts'
import { kindOf } from '../model/records.ts'
import { type Call, fieldsOf } from './second-argument.ts'

const CLOSE: Call<'timeoutMs'> = {
  name: 'close',
  fields: ['timeoutMs'],
  hint: given => (typeof given === 'number' ? `write close({ timeoutMs: ${given} })` : undefined)
}

const PUT: Call<'signal'> = {
  name: 'put',
  fields: ['signal'],
  hint(given) {
    if (typeof given === 'function') return 'tryPut(record, callback) takes a callback'
    if (isSignal(given)) return 'write put(record, { signal })'
    return Array.isArray(given) ? undefined : 'recordTtlMs limits the time of a record, and signal takes it back'
  }
}

const PUT_MANY: Call<'signal' | 'whenFull'> = {
  name: 'putMany',
  fields: ['signal', 'whenFull'],
  hint: given => (isSignal(given) ? 'write putMany(records, { signal })' : undefined)
}

const FLUSH: Call<'signal'> = {
  name: 'flush',
  fields: ['signal'],
  hint: given =>
    isSignal(given)
      ? 'write flush({ signal })'
      : 'flush waits until every record has settled; recordTtlMs limits that time'
}

/**
 * Returns how long `close` waits. With a fault, the wait has no deadline: a program with a mistake in the argument still wants
 * to close.
 */
export function closeArgument(given: unknown): { readonly timeoutMs: number; readonly fault?: unknown } {
  const longestMs = Number.POSITIVE_INFINITY
  try {
    const { timeoutMs = longestMs } = fieldsOf(CLOSE, given)
    if (typeof timeoutMs === 'number' && timeoutMs >= 0) return { timeoutMs }
    const shown = typeof timeoutMs === 'number' ? timeoutMs : kindOf(timeoutMs)
    return {
      timeoutMs: longestMs,
      fault: new OptionsError([`close takes { timeoutMs }, a number of ms from 0, got ${shown}`])
    }
  } catch (fault) {
    // Not swallowed: told once the producer is closed.
    return { timeoutMs: longestMs, fault }
  }
}

const TRANSPORT_METHODS = ['putRecords', 'listShards', 'describeStream', 'close']
const CLOCK_METHODS = ['nowMs', 'schedule']
const SIGNAL_METHODS = ['addEventListener', 'removeEventListener', 'throwIfAborted']

/**
 * Returns the signal of `put`'s second argument. Throws OptionsError, and InvalidRecordError for a value that is not a signal.
 */
export function putSignal(given: unknown): AbortSignal | undefined {
  return signalOf(PUT, given)
}

/** Returns the signal of `flush`. Throws as `putSignal`. */
export function flushSignal(given: unknown): AbortSignal | undefined {
  return signalOf(FLUSH, given)
}

/** Returns the signal of `putMany`, and what it should do when the buffer is full, which is not checked. Throws as `putSignal`. */
export function manyArguments(given: unknown): {
  readonly signal: AbortSignal | undefined
  readonly whenFull: unknown
} {
  const { signal, whenFull } = fieldsOf(PUT_MANY, given)
  return { signal: checkedSignal(signal), whenFull }
}

function signalOf(call: Call<'signal'>, given: unknown): AbortSignal | undefined {
  return checkedSignal(fieldsOf(call, given).signal)
}

function checkedSignal(signal: unknown): AbortSignal | undefined {
  if (signal === undefined || isSignal(signal)) return signal
  throw badArgument('signal', 'an AbortSignal', signal)
}

/** By its methods: jsdom and other realms have an AbortSignal that is no instance of ours. */
function isSignal(value: unknown): value is AbortSignal {
  return hasMethods(value, SIGNAL_METHODS)
}

function hasMethods(value: unknown, names: readonly string[]): boolean {
  try {
    return names.every(name => typeof Reflect.get(Object(value), name) === 'function')
  } catch {
    // Not swallowed: what throws when it is looked at is refused as what it is not.
    return false
  }
}

/** Throws OptionsError for what cannot be a `StatsCursor`, which is written to. */
export function assertCursor(window: unknown): void {
  if (typeof window === 'object' && window !== null && Object.isExtensible(window)) return
  throw new OptionsError([`stats takes an object that keeps a reader's place, got ${kindOf(window)}`])
}

/** Returns the error for an argument of the wrong kind. */
export function badArgument(name: string, kind: string, value: unknown): InvalidRecordError {
  return new InvalidRecordError('KPL_ERR_INVALID_RECORD', name, `must be ${kind}, got ${kindOf(value)}`)
}

const PORTS: Call<'transport' | 'clock' | 'random'> = {
  name: 'new KinesisProducer(options, ports)',
  fields: ['transport', 'clock', 'random'],
  hint: given => (hasMethods(given, TRANSPORT_METHODS) ? 'write { transport }' : undefined)
}

/** Throws OptionsError for bad ports: without it, the real transport would replace a misplaced one, in the middle of a test. */
export function assertPorts(given: unknown): void {
  const { transport, clock, random } = fieldsOf(PORTS, given)
  const faults = [
    ...portFaults('transport', transport, TRANSPORT_METHODS),
    ...portFaults('clock', clock, CLOCK_METHODS),
    ...(random === undefined || typeof random === 'function'
      ? []
      : [`random must be a function, got ${kindOf(random)}`])
  ]
  if (faults.length > 0) throw new OptionsError(faults)
}

function portFaults(name: string, port: unknown, methods: readonly string[]): string[] {
  if (port === undefined || hasMethods(port, methods)) return []
  return [`${name} must have the methods ${methods.join(', ')}, got ${kindOf(port)}`]
}
