/**
 * The four lists of an import, and the Agent's way with values: numbers and booleans may be texts.
 * Invariant: what is noted is never lost; a value is shown only where it is no secret.
 */
import { CliError } from '../errors.ts'
import type { Json } from '../output/json.ts'

export interface ImportNote {
  readonly key: string
  /** Where it went, or why it has no effect. */
  readonly note: string
}

export class ImportLists {
  readonly #applied: ImportNote[] = []
  readonly #notApplicable: ImportNote[] = []
  readonly #unsupported: ImportNote[] = []
  readonly #unknown: string[] = []

  applied(key: string, note: string): void {
    this.#applied.push({ key, note })
  }

  notApplicable(key: string, note: string): void {
    this.#notApplicable.push({ key, note })
  }

  unsupported(key: string, note: string): void {
    this.#unsupported.push({ key, note })
  }

  unknown(key: string): void {
    this.#unknown.push(key)
  }

  /** Sets a key of the config, and notes where the Agent's key went. */
  set(config: Record<string, Json>, name: string, value: Json, key: string): void {
    config[name] = value
    this.applied(key, `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
  }

  all() {
    return {
      applied: this.#applied,
      notApplicable: this.#notApplicable,
      unsupported: this.#unsupported,
      unknown: this.#unknown
    }
  }
}

export function textOf(value: unknown, key: string): string {
  if (typeof value === 'string' && value !== '') return value
  throw new CliError('CLI_ERR_CONFIG', `${key} must be a text that is not empty`)
}

export function numberOf(value: unknown, key: string): number {
  const number = typeof value === 'string' && /^\d+$/.test(value.trim()) ? Number(value) : value
  if (typeof number === 'number' && Number.isInteger(number) && number >= 0) return number
  throw new CliError('CLI_ERR_CONFIG', `${key} must be a whole number`)
}
