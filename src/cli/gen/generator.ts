/**
 * Records of a template, one after the other.
 * Invariant: record n depends on the seed, on n, on the slice and on the time that it is given, and on nothing else.
 */
import { existsSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import type { RecordFrame, UserRecord } from '../../index.ts'
import { seededRandom } from '../../testing/index.ts'
import { hintOf } from '../arguments/nearest.ts'
import { readText } from '../config.ts'
import { CliError } from '../errors.ts'
import { keySelector } from '../input/key-selector.ts'
import type { Session } from '../session.ts'
import { FAKER_NAMES, NO_EQUIVALENT } from './aliases.ts'
import { builtinHelpers } from './builtins.ts'
import { fakerHelpers } from './faker.ts'
import type { GenFlags } from './gen-flags.ts'
import { type Slice, WHOLE } from './slice.ts'
import { compileTemplate } from './template.ts'

/** One word with a slash or an ending: a path, not a template. */
const PATH = /^(?:[^\s{}"<>]*\/[^\s{}"<>]*|[^\s{}"<>]*[\w-]\.[A-Za-z]\w*)$/

/** Makes the next record; `simMs` is the simulated time, or the time of day. */
export type Generator = (nowMs: number, simMs: number) => UserRecord

export async function generatorOf(
  session: Session,
  flags: GenFlags,
  simStartMs: number | undefined,
  { slice = WHOLE, schema }: { readonly slice?: Slice; readonly schema?: RecordFrame | undefined } = {}
): Promise<Generator> {
  const text = templateText(flags)
  const whole = flags.seed ?? String(session.host.random())
  const seed = slice.count === 1 ? whole : `${whole} ${slice.index}/${slice.count}`
  const builtins = builtinHelpers()
  const needsFaker = [...text.matchAll(/\{\{\s*([\w.]+)/g)].some(
    ([, name = '']) => !Object.hasOwn(builtins, name) && Object.hasOwn(FAKER_NAMES, name)
  )
  const table = needsFaker ? { ...(await fakerHelpers(seed, flags.locale, simStartMs)), ...builtins } : builtins
  const template = compileTemplate(text, table, hintFor)
  const random = seededRandom(seed)
  const values = random.split('values')
  const select = keySelector(flags, random.split('keys'))
  const isLine = flags.newline === true || flags.kdg === true
  let n = slice.index - slice.count
  return (nowMs, simMs) => {
    n += slice.count
    const made = template({ random: values, n, nowMs, simMs })
    const plain = Buffer.from(isLine && flags.gzip !== true ? `${made}\n` : made)
    const { partitionKey } = select({ data: plain }, undefined)
    if (partitionKey === undefined)
      throw new CliError('CLI_ERR_USAGE', 'a generated record has no usable key', {
        fix: 'correct --key or the template'
      })
    const data = flags.gzip === true ? gzipSync(plain) : plain
    return schema === undefined ? { partitionKey, data } : { partitionKey, data, schema }
  }
}

function templateText({ template, kdg }: GenFlags): string {
  const isFile = existsSync(template)
  if (!isFile && PATH.test(template))
    throw new CliError('CLI_ERR_INPUT', `--template ${template} is no file, and has no {{name}} in it`)
  const text = isFile ? readText(template).replace(/\r?\n$/, '') : template
  if (text === '') throw new CliError('CLI_ERR_TEMPLATE', 'the template is empty')
  return kdg === true ? text.replace(/\r?\n/g, '') : text
}

function hintFor(name: string): string {
  if (NO_EQUIVALENT.has(name)) return '; faker 10 has nothing like it'
  return hintOf(name, [...Object.keys(builtinHelpers()), ...Object.keys(FAKER_NAMES)])
}
