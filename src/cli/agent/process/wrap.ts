/**
 * The step `wrap`: a record of any text within a JSON object.
 * Example: `{"metadata":{"app":"web"}}` makes `GET /` into `{"metadata":{"app":"web"},"data":"GET /"}`.
 * Invariant: bytes that are not UTF-8 become U+FFFD, as JSON has no others; with `brackets` bytes stay as they are.
 */
import { objectOf } from '../../config.ts'
import { isoTime } from './iso-time.ts'
import type { Step, StepContext } from './step.ts'
import { fault, flagAt } from './step-options.ts'

const OPEN = Buffer.from('{')
const CLOSE = Buffer.from('}')

/** `metadata`: any value. `timestamp`: with the time as `ts`. `brackets`: nothing but `{` before and `}` behind. */
export function wrapStep(value: unknown, path: string, context: StepContext): Step {
  const options = objectOf(value, path, ['metadata', 'timestamp', 'brackets'])
  const hasTime = flagAt(options['timestamp'], `${path}.timestamp`, false)
  const metadata = options['metadata'] === undefined ? '' : `"metadata":${JSON.stringify(options['metadata'])},`
  if (flagAt(options['brackets'], `${path}.brackets`, false)) {
    if (hasTime || metadata !== '') throw fault(`${path}.brackets goes with no other option`)
    return data => Buffer.concat([OPEN, data, CLOSE])
  }
  return data => {
    const time = hasTime ? `"ts":"${isoTime(context.wallMs())}",` : ''
    return Buffer.from(`{${time}${metadata}"data":${JSON.stringify(data.toString())}}`)
  }
}
