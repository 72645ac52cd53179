/**
 * Defaults and bounds of options, as the tables of the documentation and the types show them.
 * Invariant: pure; a number has thousands separators.
 */
import type { OptionEntry } from '../../src/model/options.ts'

/** Returns the default as Markdown; empty without one. */
export function shownDefault(entry: OptionEntry): string {
  if (!('default' in entry)) return ''
  return typeof entry.default === 'number'
    ? shownNumber(entry.default)
    : `\`${JSON.stringify(entry.default).replaceAll('"', "'")}\``
}

export function shownNumber(value: number): string {
  return value === Number.MAX_SAFE_INTEGER ? '2^53 - 1' : value.toLocaleString('en-US').replace('∞', 'Infinity')
}

/** Returns what an editor shows below the sentence of an option: default, bounds, unit and KPL name, each as a list item. */
export function optionFacts(entry: OptionEntry): string[] {
  const facts: string[] = []
  const unit = entry.kind === 'integer' ? ` ${entry.unit}` : ''
  if ('default' in entry) facts.push(`- Default: ${shownDefault(entry)}${unit}`)
  if (entry.kind === 'integer') facts.push(`- Bounds: ${shownNumber(entry.min)} to ${shownNumber(entry.max)}${unit}`)
  if (entry.kind === 'choice') facts.push(`- One of: ${entry.choices.map(choice => `\`'${choice}'\``).join(', ')}`)
  if ('kpl' in entry && entry.kpl !== undefined) facts.push(`- KPL: \`${entry.kpl}\``)
  return facts
}
