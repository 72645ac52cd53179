/**
 * Which partition key a record gets.
 * Example: `--key .user.id` reads it from JSON, `--key-split ':'` takes it off the front of the line.
 * Invariant: a key that is missing, empty, longer than 256 characters or not valid Unicode is `undefined`, never another key;
 * the policy for those is the caller's.
 */
import { createHash } from 'node:crypto'
import type { Random } from '../../index.ts'
import { CliError } from '../errors.ts'
import type { Item } from './item.ts'
import { JsonPath } from './json-path.ts'

export interface KeyFlags {
  readonly key?: string
  readonly keyConst?: string
  readonly keyRegex?: string
  readonly keyColumn?: string
  readonly keySplit?: string
  readonly keyPath?: boolean
  readonly keyHash?: 'md5' | 'sha256'
  readonly keyRandom?: boolean
}

/** A record's key and its data, which `--key-split` makes shorter. */
export interface Keyed {
  readonly partitionKey: string | undefined
  readonly data: Uint8Array
  /** Whether the key was looked for in JSON, and there was none. */
  readonly isNotJson?: boolean
}

export type KeySelector = (item: Item, path: string | undefined) => Keyed

const MAX_KEY_CHARACTERS = 256
const MAX_REGEX_BYTES = 65_536
const POOL_COUNT = 4096
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789'

/** Returns the selector that the flags ask for; without any the keys are random. Throws CLI_ERR_USAGE for two. */
export function keySelector(flags: KeyFlags, random: Random): KeySelector {
  const names = ['key', 'keyConst', 'keyRegex', 'keyColumn', 'keySplit', 'keyPath', 'keyHash', 'keyRandom'] as const
  const given = names.filter(name => flags[name] !== undefined && flags[name] !== false)
  if (given.length > 1)
    throw new CliError('CLI_ERR_USAGE', `only one of ${given.map(flagOf).join(', ')} can choose the key`)
  const select = selectorOf(flags, random)
  return (item, path) => {
    // An envelope has its own.
    if (item.partitionKey !== undefined) return { partitionKey: valid(item.partitionKey), data: item.data }
    return select(item, path)
  }
}

function selectorOf(flags: KeyFlags, random: Random): KeySelector {
  const { key, keyConst, keyRegex, keySplit, keyPath, keyHash } = flags
  if (key !== undefined) return ofJson(new JsonPath(key))
  if (keyConst !== undefined) return ofConstant(keyConst)
  if (keyRegex !== undefined) return ofExpression(expression(keyRegex))
  if (keySplit !== undefined) return ofSplit(keySplit)
  if (keyPath === true) return ({ data }, path) => ({ partitionKey: valid(path), data })
  if (keyHash !== undefined)
    return ({ data }) => ({ partitionKey: createHash(keyHash).update(data).digest('hex'), data })
  const next = randomKeys(random)
  return ({ data }) => ({ partitionKey: next(), data })
}

/** Returns keys of four characters, of a pool: an aggregate's key table stays small, and all shards get their part. */
export function randomKeys(random: Random): () => string {
  const letter = () => ALPHABET[Math.floor(random() * ALPHABET.length)]!
  const pool = Array.from({ length: POOL_COUNT }, () => letter() + letter() + letter() + letter())
  return () => pool[Math.floor(random() * POOL_COUNT)]!
}

function ofJson(path: JsonPath): KeySelector {
  return ({ data }) => {
    const found = path.find(data)
    if (found.kind === 'text') return { partitionKey: valid(found.text), data }
    return { partitionKey: undefined, data, isNotJson: found.kind === 'not-json' }
  }
}

function ofConstant(key: string): KeySelector {
  if (valid(key) === undefined) throw new CliError('CLI_ERR_USAGE', '--key-const must have 1 to 256 characters')
  return ({ data }) => ({ partitionKey: key, data })
}

function ofExpression(regex: RegExp): KeySelector {
  return ({ data }) => {
    const text = Buffer.from(data.buffer, data.byteOffset, Math.min(data.byteLength, MAX_REGEX_BYTES)).toString()
    return { partitionKey: valid(regex.exec(text)?.[1]), data }
  }
}

function ofSplit(separator: string): KeySelector {
  const bytes = Buffer.from(separator)
  if (bytes.length === 0) throw new CliError('CLI_ERR_USAGE', '--key-split must not be empty')
  return ({ data }) => {
    const line = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    const end = line.indexOf(bytes)
    if (end < 0) return { partitionKey: undefined, data }
    return { partitionKey: valid(line.toString('utf8', 0, end)), data: line.subarray(end + bytes.length) }
  }
}

/** Returns the compiled expression. Throws CLI_ERR_USAGE; it must have a group, which is the key. */
export function expression(text: string): RegExp {
  try {
    const regex = new RegExp(text)
    const groupCount = new RegExp(`${text}|`).exec('')!.length - 1
    if (groupCount < 1) throw new CliError('CLI_ERR_USAGE', '--key-regex needs a group in brackets: the key')
    return regex
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new CliError('CLI_ERR_USAGE', '--key-regex is not a regular expression')
  }
}

function valid(key: string | undefined): string | undefined {
  const isValid = key !== undefined && key.length > 0 && key.length <= MAX_KEY_CHARACTERS && key.isWellFormed()
  return isValid ? key : undefined
}

function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`
}
