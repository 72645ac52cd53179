/**
 * A reader of Prometheus' text format that knows no more than its description: comments of other words and empty lines mean nothing.
 * Invariant: throws at anything that the format does not have, at a family or a sample that comes twice, and at a sample that stands
 * outside of its family.
 * Source: Prometheus documentation, "Exposition formats", text format 0.0.4.
 */
export interface Family {
  readonly type: string
  readonly help: string
  /** By name and labels in order, as `name{a="b"}`. */
  readonly samples: Map<string, number>
}

export function parsePrometheus(text: string): Map<string, Family> {
  const families = new Map<string, Family>()
  let family = ''
  if (!text.endsWith('\n')) throw new Error('the last line must end')
  for (const line of text.slice(0, -1).split('\n')) {
    if (line === '' || /^#(?! (?:HELP|TYPE) )/.test(line)) continue
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.*)$/.exec(line)
    if (comment?.[1] === 'HELP') {
      if (families.has(comment[2]!)) throw new Error(`${comment[2]} comes twice`)
      family = comment[2]!
      families.set(family, { type: '', help: comment[3]!, samples: new Map() })
    } else if (comment?.[1] === 'TYPE') {
      families.set(family, { ...families.get(family)!, type: comment[3]! })
    } else {
      readSample(line, family, families.get(family)!)
    }
  }
  return families
}

/** As Go's ParseFloat has them. */
const VALUE = /^(?:[+-]?(?:\d+(?:\.\d*)?(?:e[+-]?\d+)?|Inf)|NaN)$/i
const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y

function readSample(line: string, family: string, { type, samples }: Family): void {
  const [, name, labels = '', value] = SAMPLE.exec(line) ?? []
  const suffix = name?.slice(family.length) ?? '?'
  const suffixes = { counter: [''], gauge: [''], summary: ['_sum', '_count'], histogram: ['_bucket', '_sum', '_count'] }
  const isOfFamily = name?.startsWith(family) === true && suffixes[type as keyof typeof suffixes].includes(suffix)
  if (!isOfFamily || !VALUE.test(value!)) throw new Error(`not a sample of ${family}: ${line}`)
  const read: string[] = []
  LABEL.lastIndex = 0
  while (LABEL.lastIndex < labels.length) {
    const label = LABEL.exec(labels)
    if (label === null) throw new Error(`labels of ${line}`)
    const text = label[2]!.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped))
    read.push(`${label[1]}=${JSON.stringify(text)}`)
  }
  const key = read.length === 0 ? name! : `${name}{${read.join(',')}}`
  if (samples.has(key)) throw new Error(`${key} comes twice`)
  samples.set(key, Number(value!.replace(/Inf$/i, 'Infinity')))
}
