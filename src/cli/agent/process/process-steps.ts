/**
 * The `process` list of a flow as one function from a record to the data that is sent.
 * Example: `[{"singleLine":{}},{"wrap":{}}]` makes `a\n b` into `{"data":"ab"}`.
 * Invariant: steps run in their order; a newline at the end of the record is no step's business, and is put back. An unknown name or
 * option is CLI_ERR_CONFIG with its place and the nearest name.
 */
import { objectOf } from '../../config.ts'
import { addFieldsStep } from './add-fields.ts'
import { csvStep } from './csv-step.ts'
import { ec2Step } from './ec2-step.ts'
import { logStep } from './log-step.ts'
import { singleLineStep } from './single-line.ts'
import type { ProcessRecord, Step, StepContext, StepResult } from './step.ts'
import { fault } from './step-options.ts'
import { wrapStep } from './wrap.ts'

export type { ProcessFault, ProcessRecord } from './step.ts'
export type ProcessStep = (record: ProcessRecord) => StepResult

/** Returns the step for its options. */
type StepOf = (options: unknown, path: string, context: StepContext) => Step

/** Every step by its name in the config file. */
export const STEPS: Readonly<Record<string, StepOf>> = {
  singleLine: singleLineStep,
  csv: csvStep,
  log: logStep,
  addFields: addFieldsStep,
  wrap: wrapStep,
  ec2: ec2Step
}

const NEWLINE = 0x0a
const CARRIAGE_RETURN = 0x0d

/** `value` is the list in the config file, `path` its place. An empty list changes nothing. Throws CLI_ERR_CONFIG. */
export function processSteps(value: unknown, path: string, context: StepContext): ProcessStep {
  if (!Array.isArray(value)) throw fault(`${path} must be a list of steps`)
  const steps = value.map((step: unknown, place) => stepOf(step, `${path}[${place}]`, context))
  return record => {
    const { data } = record
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    const end = endOfText(bytes)
    let made = bytes.subarray(0, end)
    for (const step of steps) {
      const result = step(made, record)
      if (!(result instanceof Uint8Array)) return result
      made = Buffer.isBuffer(result) ? result : Buffer.from(result)
    }
    return end === bytes.length ? made : Buffer.concat([made, bytes.subarray(end)])
  }
}

/** Whether a list, checked or not, has the step `ec2`, which needs `StepContext.instance`. */
export function needsInstance(value: unknown): boolean {
  return Array.isArray(value) && value.some(step => step instanceof Object && 'ec2' in step)
}

function stepOf(value: unknown, path: string, context: StepContext): Step {
  const names = Object.keys(STEPS)
  const given = Object.entries(objectOf(value, path, names))
  const [name, options] = given[0] ?? []
  const make = name === undefined ? undefined : STEPS[name]
  if (make === undefined || given.length > 1) throw fault(`${path} takes exactly one of ${names.join(', ')}`)
  return make(options, `${path}.${name}`, context)
}

/** Returns where the newline at the end begins, or the length. */
function endOfText(bytes: Buffer): number {
  const { length } = bytes
  if (length === 0 || bytes[length - 1] !== NEWLINE) return length
  return bytes[length - 2] === CARRIAGE_RETURN ? length - 2 : length - 1
}
