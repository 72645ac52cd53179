/**
 * The step `csv`: a row as a JSON object of texts.
 * Example: with the fields `name` and `count`, the row `"a, b",2` is `{"name":"a, b","count":"2"}`.
 * Invariant: quotes are csv-parse's. A column that is missing is null, one too many is left out, and numbers stay texts.
 */
import { parse } from 'csv-parse/sync'
import { objectOf } from '../../config.ts'
import { fieldWriter } from './json-fields.ts'
import { mismatch, type Step } from './step.ts'
import { flagAt, namesAt, policyAt, textAt } from './step-options.ts'

/** `fields` name the columns; `delimiter` is a text, `,` by default; `quotes` (default true) whether quotes are understood. */
export function csvStep(value: unknown, path: string): Step {
  const options = objectOf(value, path, ['fields', 'delimiter', 'quotes', 'onMismatch'])
  const write = fieldWriter(namesAt(options['fields'], `${path}.fields`))
  const delimiter = textAt(options['delimiter'] ?? ',', `${path}.delimiter`)
  const hasQuotes = flagAt(options['quotes'], `${path}.quotes`, true)
  const policy = policyAt(options['onMismatch'], `${path}.onMismatch`)
  return data => {
    const text = data.toString()
    const isPlain = !hasQuotes || !(text.includes('"') || text.includes('\n'))
    const columns = isPlain ? text.split(delimiter) : columnsOf(text, delimiter)
    return columns === undefined ? mismatch(policy, data, 'a line is not one row of CSV') : write(columns)
  }
}

/** Returns the columns of a text that is one row, else undefined. */
function columnsOf(text: string, delimiter: string): readonly string[] | undefined {
  try {
    const rows = parse(text, {
      delimiter,
      record_delimiter: ['\r\n', '\n'],
      relax_column_count: true,
      relax_quotes: true
    })
    return rows.length === 1 ? rows[0] : undefined
  } catch (error) {
    // csv-parse says so when a quote is not closed.
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  }
}
