/**
 * The Agent's dataProcessingOptions as steps of ours.
 * Example: `{"optionName":"SINGLELINE","parseOptions":"NO_TRIM"}` becomes `{"singleLine":{"trim":false}}`.
 * Invariant: a step that has no equivalent is noted as unsupported and left out; a difference in behaviour is noted.
 */
import { CliError } from '../errors.ts'
import type { Json } from '../output/json.ts'
import { type ImportLists, numberOf, textOf } from './import-lists.ts'
import { importRegex } from './import-regex.ts'

const LOG_FORMATS: Readonly<Record<string, string>> = {
  COMMONAPACHELOG: 'common',
  COMBINEDAPACHELOG: 'combined',
  APACHEERRORLOG: 'apache-error',
  SYSLOG: 'syslog',
  RFC3339SYSLOG: 'rfc3339syslog'
}
const DEFAULT_METADATA_TTL_S = 3600
const REGEX_CHARACTERS = /[\\^$.|?*+()[\]{}]/

type Options = Readonly<Record<string, unknown>>

/** Returns the steps in their order. Throws CLI_ERR_CONFIG when the list is not of the Agent's shape. */
export function importSteps(value: unknown, key: string, lists: ImportLists): readonly Json[] {
  if (!Array.isArray(value)) throw new CliError('CLI_ERR_CONFIG', `${key} must be a list`)
  return value.flatMap((item: unknown, place) => {
    const path = `${key}[${place}]`
    if (typeof item !== 'object' || item === null || Array.isArray(item))
      throw new CliError('CLI_ERR_CONFIG', `${path} must be an object`)
    const options: Options = { ...item }
    const name = textOf(options['optionName'], `${path}.optionName`)
    const known = Object.hasOwn(STEPS, name) ? STEPS[name] : undefined
    if (known === undefined) {
      lists.unsupported(path, `there is no step for ${name.slice(0, 40)}`)
      return []
    }
    for (const option of Object.keys(options)) {
      const isKnown = option === 'optionName' || option === 'jsonFormat' || known.options.includes(option)
      if (!isKnown) lists.unknown(`${path}.${option}`)
    }
    importJsonFormat(options['jsonFormat'], path, lists)
    const step = known.step(options, path, lists)
    if (step === undefined) return []
    lists.applied(path, JSON.stringify(step))
    return [step]
  })
}

interface Step {
  readonly options: readonly string[]
  /** Returns the step, or undefined when it was noted as unsupported. */
  step(options: Options, path: string, lists: ImportLists): Json | undefined
}

const STEPS: Readonly<Record<string, Step>> = {
  SINGLELINE: {
    options: ['parseOptions'],
    step({ parseOptions }, path) {
      const given = parseOptions === undefined ? '' : textOf(parseOptions, `${path}.parseOptions`)
      return { singleLine: { trim: !given.includes('NO_TRIM'), escape: given.includes('ESCAPE_NEW_LINE') } }
    }
  },
  CSVTOJSON: {
    options: ['customFieldNames', 'delimiter'],
    step(options, path, lists) {
      const delimiter = literalOf(options['delimiter'] ?? ',')
      if (delimiter === undefined) {
        lists.unsupported(`${path}.delimiter`, 'it is a regular expression; a delimiter is a text')
        return undefined
      }
      const fields = namesOf(options['customFieldNames'], `${path}.customFieldNames`)
      lists.applied(
        `${path}.customFieldNames`,
        'csv.fields; quotes are understood, which the Agent does not; a line that does not fit is sent as it is'
      )
      return { csv: { fields, delimiter, quotes: true, onMismatch: 'raw' } }
    }
  },
  LOGTOJSON: {
    options: ['logFormat', 'matchPattern', 'customFieldNames'],
    step(options, path, lists) {
      const { customFieldNames, matchPattern, logFormat } = options
      const fields =
        customFieldNames === undefined ? {} : { fields: namesOf(customFieldNames, `${path}.customFieldNames`) }
      let match: string | undefined
      if (matchPattern !== undefined) {
        importRegex(matchPattern, `${path}.matchPattern`, lists, (source, flags) => (match = `${flags}^(?:${source})$`))
        if (match === undefined) return undefined
        lists.applied(`${path}.matchPattern`, 'log.match')
        return { log: { match, ...fields, onMismatch: 'drop' } }
      }
      const name = textOf(logFormat, `${path}.logFormat`)
      const format = Object.hasOwn(LOG_FORMATS, name) ? LOG_FORMATS[name] : undefined
      if (format === undefined) {
        lists.unsupported(`${path}.logFormat`, `there is no format ${name.slice(0, 40)}`)
        return undefined
      }
      lists.applied(`${path}.logFormat`, 'log.format; a line that does not match is dropped, as the Agent does')
      return { log: { format, ...fields, onMismatch: 'drop' } }
    }
  },
  ADDMETADATA: {
    options: ['metadata', 'timestamp'],
    step({ metadata, timestamp }) {
      // Comes out of JSON.
      const value = (metadata ?? {}) as Json
      return { wrap: { metadata: value, timestamp: String(timestamp) === 'true' } }
    }
  },
  ADDEC2METADATA: {
    options: ['logFormat', 'metadataTTL'],
    step({ metadataTTL }, path) {
      const ttl = metadataTTL === undefined ? DEFAULT_METADATA_TTL_S : numberOf(metadataTTL, `${path}.metadataTTL`)
      return { ec2: { ttl: `${ttl}s` } }
    }
  },
  ADDBRACKETS: { options: [], step: () => ({ wrap: { brackets: true } }) },
  USINGPLUGGIN: {
    options: ['className'],
    step(_, path, lists) {
      lists.unsupported(path, 'a Java class cannot be used')
      return undefined
    }
  }
}

function importJsonFormat(format: unknown, path: string, lists: ImportLists): void {
  if (format === undefined) return
  const key = `${path}.jsonFormat`
  if (format === 'COMPACT') lists.applied(key, 'JSON is written without spaces')
  else lists.unsupported(key, 'JSON is always written without spaces')
}

/** Returns the text that a simple expression of Java stands for; undefined for one that is not simple. */
function literalOf(delimiter: unknown): string | undefined {
  if (typeof delimiter !== 'string' || delimiter === '') return undefined
  const escaped = delimiter.replace(/\\([^a-zA-Z0-9])/g, (_, letter: string) => letter).replace(/\\t/g, '\t')
  const isSimple = !REGEX_CHARACTERS.test(delimiter.replace(/\\(?:[^a-zA-Z0-9]|t)/g, ''))
  return isSimple ? escaped : undefined
}

function namesOf(value: unknown, key: string): readonly string[] {
  const isNames = Array.isArray(value) && value.length > 0 && value.every(name => typeof name === 'string')
  if (!isNames) throw new CliError('CLI_ERR_CONFIG', `${key} must be a list of names`)
  return value.map(String)
}
