/**
 * A copy of a thrown value that may be shown: `cause` of the errors that say why nothing can be sent.
 * Example: an SDK error has the request, its headers and the answer as fields; the copy has name, code, message and stack.
 * Invariant: no field of the original but these is in the copy; its texts are without partition keys and opaque runs.
 */
import { isError, safeText } from '../model/errors.ts'
import { nameOf, nodeCodeOf, textOf } from './node-fault.ts'
import { redacted } from './redact.ts'

const STACK_FRAME = /^ {4}at /

/** Returns an error to show in place of `thrown`. */
export function safeCause(thrown: unknown, partitionKeys: readonly string[]): Error {
  const message = safeText(redacted(textOf(thrown), partitionKeys))
  const copy = new Error(message)
  const name = safeText(isError(thrown) ? nameOf(thrown) : 'Error')
  const code = nodeCodeOf(thrown)
  Object.defineProperty(copy, 'name', { value: name, configurable: true, writable: true })
  copy.stack = [`${name}: ${message}`, ...framesOf(thrown)].join('\n')
  return code === undefined ? copy : Object.assign(copy, { code })
}

/** The lines that say where it was thrown. Where the text before them is not the message, nothing of it is trusted. */
function framesOf(thrown: unknown): string[] {
  if (!isError(thrown) || typeof thrown.stack !== 'string') return []
  const { stack, message } = thrown
  const at = stack.indexOf(message)
  if (at < 0) return []
  return stack
    .slice(at + message.length)
    .split('\n')
    .filter(line => STACK_FRAME.test(line))
}
