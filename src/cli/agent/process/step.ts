/**
 * A process step: a function from the data of a record to other data.
 * Example: the step `singleLine` makes `a\n  b` into `ab`.
 * Invariant: a step is synchronous and keeps nothing; time and the host's name are given to it. Data comes without the newline at
 * its end, which is put back behind the last step.
 */

import type { InstanceMetadata } from './instance-metadata.ts'

/** Where the data comes from. */
export interface ProcessRecord {
  readonly data: Uint8Array
  readonly path: string
  readonly startOffset: number
}

/** Why a record has no data to send. The message names no data. */
export interface ProcessFault {
  readonly code: 'CLI_ERR_BAD_LINE'
  readonly message: string
}

export type StepResult = Uint8Array | 'drop' | ProcessFault

/** `record.data` is what the file has; `data` is what the step before made of it. */
export type Step = (data: Buffer, record: ProcessRecord) => StepResult

export interface StepContext {
  readonly hostName: string
  wallMs(): number
  /** For the step `ec2`; it must be ready before the first record. */
  readonly instance?: InstanceMetadata | undefined
}

/** The fate of data that does not fit a step. */
export type OnMismatch = 'fail' | 'raw' | 'drop'

/** Returns what the policy makes of data that does not fit. */
export function mismatch(policy: OnMismatch, data: Buffer, message: string): StepResult {
  if (policy === 'raw') return data
  return policy === 'drop' ? 'drop' : { code: 'CLI_ERR_BAD_LINE', message }
}
