/**
 * The helpers that need no other package: counters, dates, random numbers, series, skewed choices.
 * Example: `{{walk({"name":"t1","start":20,"step":0.5,"min":0,"max":40})}}` is a sensor that drifts.
 * Invariant: random numbers come from the context alone; arguments are checked when the template is compiled.
 */
import type { Random } from '../../index.ts'
import type { GenContext, Helper, HelperTable } from './context.ts'
import { DEFAULT_FORMAT, dateFormat } from './dates.ts'

const ALPHANUMERIC = 'abcdefghijklmnopqrstuvwxyz0123456789'
const HEX = '0123456789abcdef'
/** The range of random.number without arguments, in KDG's faker. */
const DEFAULT_MAX = 99_999
const MAX_CHOICES = 1_000_000

/** Returns the table. Series (`walk`, `seq`) are kept in it, so each template gets a table of its own. */
export function builtinHelpers(): HelperTable {
  const series = new Map<string, number>()
  const table: HelperTable = {
    seq: args => {
      const start = numberAt(args, 0, 0)
      const step = numberAt(args, 1, 1)
      return ({ n }) => String(start + n * step)
    },
    now:
      () =>
      ({ nowMs }) =>
        String(Math.floor(nowMs)),
    uuid:
      () =>
      ({ random }) =>
        uuid(random),
    'date.now': args => dateHelper(args, 'local', ({ nowMs }) => nowMs),
    'date.utc': args => dateHelper(args, 'utc', ({ nowMs }) => nowMs),
    'date.simTime': args => dateHelper(args, 'local', ({ simMs }) => simMs),
    'current.timestamp': args => dateHelper(args, 'local', ({ nowMs }) => nowMs),
    'random.number': numberHelper,
    'random.float': args => {
      const { min, max, decimals } = bounds(args[0], 0, 1, 2)
      return ({ random }) => (min + random() * (max - min)).toFixed(decimals)
    },
    'random.boolean':
      () =>
      ({ random }) =>
        String(random() < 0.5),
    'random.uuid':
      () =>
      ({ random }) =>
        uuid(random),
    'random.alphaNumeric': args => lettersHelper(args, ALPHANUMERIC),
    'random.hex': args => lettersHelper(args, HEX),
    'random.arrayElement': choiceHelper,
    'helpers.randomize': choiceHelper,
    'random.weightedArrayElement': weightedHelper,
    'finance.mask': args => {
      const length = numberAt(args, 0, 4)
      return ({ random }) => `(...${pattern('#'.repeat(length), random)})`
    },
    'helpers.replaceSymbolWithNumber': args => patternHelper(args, /#/g),
    'helpers.replaceSymbols': args => patternHelper(args, /[#?*]/g),
    gauss: args => {
      const { mean = 0, sd = 1, decimals = 2 } = fields(args[0], ['mean', 'sd', 'decimals'])
      return ({ random }) => (mean + sd * normal(random)).toFixed(decimals)
    },
    walk: args => {
      const { start = 0, step = 1, min = -Infinity, max = Infinity } = fields(args[0], ['start', 'step', 'min', 'max'])
      const name = textField(args[0], 'name')
      return ({ random }) => {
        const value = series.get(name) ?? start
        series.set(name, Math.min(max, Math.max(min, value + step * (2 * random() - 1))))
        return value.toFixed(3)
      }
    },
    pick: args => {
      const { n = 10 } = fields(args[0], ['n'])
      const name = textField(args[0], 'name')
      return ({ random }) => `${name}-${Math.floor(random() * wholeChoices(n))}`
    },
    zipf: args => {
      const { n = 1000, s = 1 } = fields(args[0], ['n', 's'])
      const draw = zipf(wholeChoices(n), s)
      return ({ random }) => String(draw(random))
    }
  }
  return table
}

/** Returns a number of the standard normal distribution: Box and Muller (1958). */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

function dateHelper(args: readonly unknown[], zone: 'local' | 'utc', timeOf: (context: GenContext) => number): Helper {
  const [format = DEFAULT_FORMAT] = args
  if (typeof format !== 'string') throw new TypeError('takes a format as text')
  const print = dateFormat(format, zone)
  return context => print(timeOf(context))
}

/** `random.number(n)`: 0 to n inclusive; `random.number({"min":1,"max":6,"precision":0.5})`. */
function numberHelper(args: readonly unknown[]): Helper {
  const [first] = args
  const {
    min = 0,
    max = DEFAULT_MAX,
    precision = 1
  } = typeof first === 'number' ? { max: first } : fields(first, ['min', 'max', 'precision'])
  if (!(precision > 0)) throw new RangeError('takes a precision above 0')
  if (max < min) throw new RangeError('takes a max that is not below min')
  const steps = Math.floor((max - min) / precision) + 1
  const decimals = decimalsOf(precision)
  return ({ random }) => (min + Math.floor(random() * steps) * precision).toFixed(decimals)
}

function decimalsOf(precision: number): number {
  const [, fraction = ''] = /\.(\d+)$/.exec(String(precision)) ?? []
  return Math.min(15, fraction.length)
}

function choiceHelper(args: readonly unknown[]): Helper {
  const [list] = args
  if (!Array.isArray(list) || list.length === 0) throw new TypeError('takes a list: ["a","b"]')
  const texts = list.map(asText)
  return ({ random }) => texts[Math.floor(random() * texts.length)]!
}

/** Weights of any size; the last one gets what rounding leaves. */
function weightedHelper(args: readonly unknown[]): Helper {
  const given = args[0] instanceof Object ? { ...args[0] } : {}
  const { weights, data } = given as Readonly<Record<string, unknown>>
  const isPair = Array.isArray(weights) && Array.isArray(data) && weights.length === data.length && data.length > 0
  if (!isPair) throw new TypeError('takes {"weights":[...],"data":[...]} of one length')
  const isPositive = weights.every(weight => typeof weight === 'number' && weight > 0 && Number.isFinite(weight))
  if (!isPositive) throw new RangeError('takes weights above 0')
  const texts = data.map(asText)
  const pick = cumulative(weights.map(Number))
  return ({ random }) => texts[pick(random())]!
}

/** Returns what finds the place of a number in [0, 1) among weights. */
function cumulative(weights: readonly number[]): (part: number) => number {
  const sums: number[] = []
  let sum = 0
  for (const weight of weights) sums.push((sum += weight))
  return part => {
    const wanted = part * sum
    let low = 0
    let high = sums.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (wanted < sums[middle]!) high = middle
      else low = middle + 1
    }
    return low
  }
}

function zipf(count: number, exponent: number): (random: Random) => number {
  const pick = cumulative(Array.from({ length: count }, (_, rank) => 1 / (rank + 1) ** exponent))
  return random => pick(random())
}

function lettersHelper(args: readonly unknown[], alphabet: string): Helper {
  const length = numberAt(args, 0, 1)
  if (!(Number.isInteger(length) && length > 0 && length <= 65_536))
    throw new RangeError('takes a length from 1 to 65536')
  return ({ random }) => {
    let text = ''
    for (let i = 0; i < length; i++) text += alphabet[Math.floor(random() * alphabet.length)]!
    return text
  }
}

/** `#` is a digit, `?` a capital, `*` either. */
function patternHelper(args: readonly unknown[], symbols: RegExp): Helper {
  const [text = '####'] = args
  if (typeof text !== 'string') throw new TypeError('takes a text with # for digits')
  return ({ random }) => text.replace(symbols, symbol => pattern(symbol, random))
}

function pattern(symbols: string, random: Random): string {
  const digit = () => String(Math.floor(random() * 10))
  const capital = () => ALPHANUMERIC[Math.floor(random() * 26)]!.toUpperCase()
  return symbols.replace(/[#?*]/g, symbol =>
    symbol === '#' || (symbol === '*' && random() < 0.5) ? digit() : capital()
  )
}

function uuid(random: Random): string {
  const digit = () => HEX[Math.floor(random() * 16)]!
  const digits = (count: number) => Array.from({ length: count }, digit).join('')
  return `${digits(8)}-${digits(4)}-4${digits(3)}-${HEX[8 + Math.floor(random() * 4)]}${digits(3)}-${digits(12)}`
}

function wholeChoices(count: number): number {
  if (Number.isInteger(count) && count > 0 && count <= MAX_CHOICES) return count
  throw new RangeError(`takes n from 1 to ${MAX_CHOICES}`)
}

function numberAt(args: readonly unknown[], place: number, otherwise: number): number {
  const value = args[place] ?? otherwise
  if (typeof value !== 'number') throw new TypeError('takes numbers')
  return value
}

function bounds(value: unknown, min: number, max: number, decimals: number) {
  return { min, max, decimals, ...fields(value, ['min', 'max', 'decimals']) }
}

/** The fields of an object that are numbers; others of the names are refused. */
function fields<Name extends string>(value: unknown, names: readonly Name[]): { readonly [Key in Name]?: number } {
  const result: { [Key in Name]?: number } = {}
  if (value === undefined) return result
  if (!(value instanceof Object)) throw new TypeError(`takes an object: {${names.map(name => `"${name}"`).join(', ')}}`)
  const given: Readonly<Record<string, unknown>> = { ...value }
  for (const name of names) {
    const field = given[name]
    if (field === undefined) continue
    if (typeof field !== 'number') throw new TypeError(`takes a number as ${name}`)
    result[name] = field
  }
  return result
}

function textField(value: unknown, name: string): string {
  const given: Readonly<Record<string, unknown>> = value instanceof Object ? { ...value } : {}
  return String(given[name] ?? '')
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
