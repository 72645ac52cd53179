/**
 * The settings of one flow: which files, how their bytes become records, how long each wait is.
 * Invariant: data only, and every field is set. The config file's defaults are those of DEFAULT_FLOW.
 */

/** How bytes become records. See record-splitter.ts. */
export interface FramingSettings {
  /** Lines at offset 0 of each generation that are not sent. */
  readonly skipHeader: number
  /** From the line that matches on, the rest of the generation is not sent. */
  readonly footer: RegExp | undefined
  readonly keepNewline: boolean
  readonly keepCr: boolean
  readonly emptyLines: 'skip' | 'send'
  readonly maxLineBytes: number
  readonly maxRecordBytes: number
  readonly maxRecord: 'fail' | 'skip' | 'truncate'
  readonly truncatedTerminator: string
  /** A last line without a newline is sent after this time; undefined: it waits for its newline. */
  readonly partialAfterMs: number | undefined
  readonly multiline: MultilineSettings | undefined
  /** `utf-8`: a byte order mark is dropped, and a file in UTF-16 is refused. `bytes`: the first bytes are like all others. */
  readonly encoding: 'utf-8' | 'bytes'
}

export interface MultilineSettings {
  readonly start: RegExp
  readonly maxLines: number
  readonly maxBytes: number
  readonly flushAfterMs: number
}

export interface FlowSettings {
  readonly id: string
  /** Globs of absolute paths. */
  readonly files: readonly string[]
  readonly exclude: readonly string[]
  /** Where the first run of the flow begins in files that are there already. Later files begin at 0. */
  readonly from: 'end' | 'start'
  readonly framing: FramingSettings
  /** A banner of this many bytes is the same in many files, so it takes no part in the fingerprint. */
  readonly fingerprintIgnoreBytes: number
  /** A renamed or deleted file is drained once it was quiet for this time. */
  readonly rotateWaitMs: number
  /** How long the copy of a truncated file is searched for. */
  readonly copyWaitMs: number
  /** Folders in which rotated files and copies are searched for, besides the file's own. */
  readonly copyDirs: readonly string[]
  /** A full copy whose original goes on: sent, or passed over. */
  readonly copies: 'send' | 'skip'
  readonly compressed: 'skip' | 'read'
  /** A file unknown so far whose last change is older than this is not read until it changes. */
  readonly ignoreOlderMs: number | undefined
  readonly afterDone: 'keep' | 'delete'
  /** The next file of a path waits until the renamed one is drained, not just read to its end once. */
  readonly strictOrder: boolean
  readonly pollMs: number
  readonly rescanMs: number
  readonly closeIdleMs: number
  readonly forgetAfterMs: number
  readonly onFailure: 'retry' | 'dead-letter' | 'skip' | 'stop'
}

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const DAY_MS = 24 * 60 * MINUTE_MS

export const DEFAULT_FRAMING: FramingSettings = {
  skipHeader: 0,
  footer: undefined,
  keepNewline: false,
  keepCr: false,
  emptyLines: 'skip',
  maxLineBytes: 8 * 1024 * 1024,
  maxRecordBytes: 1024 * 1024,
  maxRecord: 'fail',
  truncatedTerminator: '',
  partialAfterMs: undefined,
  multiline: undefined,
  encoding: 'utf-8'
}

/** Everything but what a flow must name itself. */
export const DEFAULT_FLOW: Omit<FlowSettings, 'id' | 'files'> = {
  exclude: [],
  from: 'end',
  framing: DEFAULT_FRAMING,
  fingerprintIgnoreBytes: 0,
  rotateWaitMs: 5 * SECOND_MS,
  copyWaitMs: 5 * SECOND_MS,
  copyDirs: [],
  copies: 'send',
  compressed: 'skip',
  ignoreOlderMs: undefined,
  afterDone: 'keep',
  strictOrder: false,
  pollMs: 250,
  rescanMs: SECOND_MS,
  closeIdleMs: 5 * MINUTE_MS,
  forgetAfterMs: 7 * DAY_MS,
  onFailure: 'retry'
}
