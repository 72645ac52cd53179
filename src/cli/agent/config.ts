/**
 * From the config file of `agent` to the settings of its flows.
 * Example: `{"flows":[{"stream":"orders","files":["/var/log/orders/*.log"]}]}` is one flow, named `orders`, with the defaults of DEFAULT_FLOW.
 * Invariant: a value that will not do ends with 2 and its place before anything is read or sent; what the file leaves out has its default here and nowhere else.
 */
import type { ProducerOptions } from '../../index.ts'
import { OPTIONS } from '../../model/options.ts'
import { CliError } from '../errors.ts'
import { DEFAULT_FLOW, DEFAULT_FRAMING, type FlowSettings, type FramingSettings } from '../follow/flow-settings.ts'
import type { KeyFlags } from '../input/key-selector.ts'
import type { BadKeyPolicy } from '../put/put-flags.ts'
import { FILE, type GivenFlow } from './config-table.ts'

/** One flow: what the follower is given, and what the sink is given. */
export interface AgentFlow {
  readonly settings: FlowSettings
  readonly stream: string
  readonly key: KeyFlags
  readonly badKey: BadKeyPolicy
  /** Steps as they are in the file; checked where they are compiled. */
  readonly process: readonly unknown[]
  readonly deadLetter: string | undefined
  /** Options of its producer: those of the file, and its own over them. */
  readonly producer: ProducerOptions
}

export interface AgentConfig {
  /** Where it came from, for messages. */
  readonly path: string
  readonly region: string | undefined
  readonly endpoint: string | undefined
  readonly state: string | undefined
  readonly flows: readonly AgentFlow[]
}

const DEFAULT_MULTILINE_LINES = 1000
const DEFAULT_FLUSH_MS = 2000

/** Returns the config of a parsed file. Throws CLI_ERR_CONFIG. */
export function agentConfig(value: unknown, path: string): AgentConfig {
  const { region, endpoint, state, producer = {}, flows = [] } = FILE.read(value, path)
  const read = flows.map(flow => flowOf(flow, producer))
  const twice = read.find(({ settings }, place) => read.findIndex(other => other.settings.id === settings.id) < place)
  if (twice !== undefined) {
    throw new CliError('CLI_ERR_CONFIG', `${path}: two flows are named "${twice.settings.id}"`, {
      fix: 'give each flow an id of its own; the state is kept by it'
    })
  }
  return { path, region, endpoint, state, flows: read }
}

function flowOf(given: GivenFlow, common: Readonly<Record<string, unknown>>): AgentFlow {
  const { stream = '', onFailure = DEFAULT_FLOW.onFailure, deadLetter } = given
  const producer: ProducerOptions = { ...common, ...given.producer }
  const id = given.id ?? stream
  const isUnwritten = onFailure === 'dead-letter' && deadLetter === undefined
  if (isUnwritten) throw new CliError('CLI_ERR_CONFIG', `flow "${id}": onFailure dead-letter needs deadLetter, a file`)
  const settings: FlowSettings = {
    id,
    files: given.files ?? [],
    exclude: given.exclude ?? DEFAULT_FLOW.exclude,
    from: given.from ?? DEFAULT_FLOW.from,
    framing: framingOf(given, producer),
    fingerprintIgnoreBytes: given.fingerprint?.ignoreBytes ?? DEFAULT_FLOW.fingerprintIgnoreBytes,
    rotateWaitMs: given.rotateWait ?? DEFAULT_FLOW.rotateWaitMs,
    copyWaitMs: given.copyWait ?? DEFAULT_FLOW.copyWaitMs,
    copyDirs: given.copyDirs ?? DEFAULT_FLOW.copyDirs,
    copies: given.copies ?? DEFAULT_FLOW.copies,
    compressed: given.compressed ?? DEFAULT_FLOW.compressed,
    ignoreOlderMs: given.ignoreOlder ?? DEFAULT_FLOW.ignoreOlderMs,
    afterDone: given.afterDone ?? DEFAULT_FLOW.afterDone,
    strictOrder: given.strictOrder ?? DEFAULT_FLOW.strictOrder,
    pollMs: given.poll ?? DEFAULT_FLOW.pollMs,
    rescanMs: given.rescan ?? DEFAULT_FLOW.rescanMs,
    closeIdleMs: given.closeIdle ?? DEFAULT_FLOW.closeIdleMs,
    forgetAfterMs: given.forgetAfter ?? DEFAULT_FLOW.forgetAfterMs,
    onFailure
  }
  return {
    settings,
    stream,
    key: keyFlags(given.key),
    badKey: given.badKey ?? 'fail',
    process: given.process ?? [],
    deadLetter,
    producer
  }
}

function framingOf(given: GivenFlow, producer: ProducerOptions): FramingSettings {
  const { multiline } = given
  const maxRecordBytes = Number(producer.maxUserRecordBytes ?? OPTIONS.maxUserRecordBytes.default)
  return {
    ...DEFAULT_FRAMING,
    skipHeader: given.skipHeader ?? DEFAULT_FRAMING.skipHeader,
    footer: given.footer ?? DEFAULT_FRAMING.footer,
    keepNewline: given.keepNewline ?? DEFAULT_FRAMING.keepNewline,
    keepCr: given.keepCr ?? DEFAULT_FRAMING.keepCr,
    emptyLines: given.emptyLines ?? DEFAULT_FRAMING.emptyLines,
    maxLineBytes: given.maxLine ?? DEFAULT_FRAMING.maxLineBytes,
    maxRecordBytes,
    maxRecord: given.maxRecord ?? DEFAULT_FRAMING.maxRecord,
    truncatedTerminator: given.truncatedTerminator ?? DEFAULT_FRAMING.truncatedTerminator,
    partialAfterMs: given.partialAfter ?? DEFAULT_FRAMING.partialAfterMs,
    multiline:
      multiline?.start === undefined
        ? undefined
        : {
            start: multiline.start,
            maxLines: multiline.maxLines ?? DEFAULT_MULTILINE_LINES,
            maxBytes: multiline.maxBytes ?? maxRecordBytes,
            flushAfterMs: multiline.flushAfter ?? DEFAULT_FLUSH_MS
          }
  }
}

/** The flags of `put` for the same key: one selector serves both. */
function keyFlags(key: GivenFlow['key']): KeyFlags {
  if (key === undefined) return {}
  return {
    ...(key.json === undefined ? undefined : { key: key.json }),
    ...(key.const === undefined ? undefined : { keyConst: key.const }),
    ...(key.regex === undefined ? undefined : { keyRegex: key.regex }),
    ...(key.split === undefined ? undefined : { keySplit: key.split }),
    ...(key.path === true ? { keyPath: true } : undefined),
    ...(key.hash === undefined ? undefined : { keyHash: key.hash })
  }
}
