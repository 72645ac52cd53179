/**
 * The steps that change records, as the config file names them: a list of objects with one name each.
 * Invariant: what is within a step is checked by the step itself (process/), in the same words.
 */
import { type Field, list, open, record } from './fields.ts'
import { STEPS } from './process/process-steps.ts'

const options = open('an object of options')

export const PROCESS: Field<readonly unknown[]> = list(
  record(Object.fromEntries(Object.keys(STEPS).map(name => [name, options])), { atMost: 1 })
)
