/**
 * Which records `tail` prints.
 * Example: `--filter '.type=created'` prints `{"type":"created"}`; data that are not JSON do not match.
 * Invariant: pure; all given conditions must hold.
 */
import type { StreamRecord } from '../../reader/read-stream.ts'
import { CliError } from '../errors.ts'
import { JsonPath } from '../input/json-path.ts'
import type { TailFlags } from './tail-flags.ts'

export type Filter = (record: StreamRecord) => boolean

type Condition = Pick<TailFlags, 'shard' | 'key' | 'grep' | 'filter'>

/** Returns undefined when every record is printed. */
export function filterOf({ shard, key, grep, filter }: Condition): Filter | undefined {
  const parts: Filter[] = []
  if (shard.length > 0) parts.push(record => shard.includes(record.shardId))
  if (key !== undefined) parts.push(record => record.partitionKey === key)
  if (grep !== undefined) {
    const regex = regexOf('--grep', grep)
    parts.push(({ data }) => regex.test(textOf(data)))
  }
  if (filter !== undefined) parts.push(ofExpression(filter))
  return parts.length === 0 ? undefined : record => parts.every(part => part(record))
}

function ofExpression(text: string): Filter {
  const [, path, operator, wanted = ''] = /^((?:[^=!~"]|"(?:[^"\\]|\\.)*")+)(!=|=|~)(.*)$/s.exec(text) ?? []
  if (path === undefined) throw new CliError('CLI_ERR_USAGE', "--filter is '.a.b=value', '.a!=value' or '.a~regex'")
  const jsonPath = new JsonPath(path.trim())
  const regex = operator === '~' ? regexOf('--filter', wanted) : undefined
  return ({ data }) => {
    const found = jsonPath.find(data)
    if (found.kind === 'not-json') return false
    const value = found.kind === 'text' ? found.text : undefined
    if (regex !== undefined) return value !== undefined && regex.test(value)
    return operator === '=' ? value === wanted : value !== wanted
  }
}

function regexOf(flag: string, text: string): RegExp {
  try {
    return new RegExp(text)
  } catch (error) {
    const reason = error instanceof Error ? error.message : ''
    throw new CliError('CLI_ERR_USAGE', `${flag}: ${reason}`)
  }
}

function textOf(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString()
}
