/**
 * The values that process steps take in the config file.
 * Invariant: a fault is CLI_ERR_CONFIG and names its place, such as `flows[0].process[1].csv.fields`.
 */
import { hintOf } from '../../arguments/nearest.ts'
import { CliError } from '../../errors.ts'
import type { OnMismatch } from './step.ts'

const POLICIES: readonly OnMismatch[] = ['fail', 'raw', 'drop']

export function flagAt(value: unknown, path: string, absent: boolean): boolean {
  if (value === undefined) return absent
  if (typeof value !== 'boolean') throw fault(`${path} must be true or false`)
  return value
}

export function textAt(value: unknown, path: string): string {
  if (typeof value !== 'string' || value === '') throw fault(`${path} must be a text that is not empty`)
  return value
}

/** Returns names of JSON fields, each once. */
export function namesAt(value: unknown, path: string): readonly string[] {
  if (!Array.isArray(value) || value.length === 0) throw fault(`${path} must be a list of names`)
  const names = value.map((name, place) => textAt(name, `${path}[${place}]`))
  const twice = names.find((name, place) => names.indexOf(name) < place)
  if (twice !== undefined) throw fault(`${path} has ${JSON.stringify(twice.slice(0, 64))} twice`)
  return names
}

export function policyAt(value: unknown, path: string): OnMismatch {
  return value === undefined ? 'fail' : choiceAt(value, path, POLICIES)
}

export function choiceAt<Choice extends string>(value: unknown, path: string, choices: readonly Choice[]): Choice {
  const found = choices.find(choice => choice === value)
  if (found !== undefined) return found
  const hint = typeof value === 'string' ? hintOf(value, choices) : ''
  throw fault(`${path} must be one of ${choices.join(', ')}${hint}`)
}

export function fault(message: string): CliError {
  return new CliError('CLI_ERR_CONFIG', message)
}
