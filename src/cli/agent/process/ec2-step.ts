/**
 * The step `ec2`: what is known of the EC2 instance, into a record that is a JSON object.
 * Example: `{"a":1}` becomes `{"a":1,"privateIp":"10.0.0.1",...,"tags":{}}`.
 * Invariant: never waits; a field that the record has already stays as it is.
 */
import { durationMs } from '../../arguments/units.ts'
import { objectOf } from '../../config.ts'
import { METADATA_NAMES } from './instance-metadata.ts'
import { memberWriter } from './members.ts'
import type { Step, StepContext } from './step.ts'
import { fault, textAt } from './step-options.ts'

const DEFAULT_TTL = '1h'
const NOT_OBJECT = { code: 'CLI_ERR_BAD_LINE', message: 'a line is no JSON object, so ec2 cannot add to it' } as const

/** `ttl`: how long an answer of the metadata service is used. */
export function ec2Step(value: unknown, path: string, { instance }: StepContext): Step {
  const options = objectOf(value, path, ['ttl'])
  const ttlMs = ttlAt(textAt(options['ttl'] ?? DEFAULT_TTL, `${path}.ttl`), `${path}.ttl`)
  if (instance === undefined) throw fault(`${path} needs an EC2 instance`)
  const write = memberWriter(METADATA_NAMES)
  return data => write(data, instance.members(ttlMs)) ?? NOT_OBJECT
}

function ttlAt(text: string, path: string): number {
  if (/^\d+(?:\.\d+)?(?:ms|s|m|h|d)$/.test(text)) return durationMs(text)
  throw fault(`${path} must be a time, such as 1h`)
}
