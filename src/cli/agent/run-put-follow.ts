/**
 * `put STREAM --follow GLOB...`: one flow of `agent`, made from flags.
 * Invariant: a flag that says something else about reading is refused, never passed over.
 */
import { resolve } from 'node:path'
import type { ProducerOptions } from '../../index.ts'
import { OPTIONS } from '../../model/options.ts'
import { listAt, type Outcome, type Words, wordAt } from '../command.ts'
import { givenConfig } from '../connection.ts'
import { CliError } from '../errors.ts'
import { DEFAULT_FLOW, DEFAULT_FRAMING } from '../follow/flow-settings.ts'
import type { PutFlags } from '../put/put-flags.ts'
import type { Session } from '../session.ts'
import type { AgentConfig } from './config.ts'
import { followFlows } from './follow-flows.ts'
import { statePlace } from './state-place.ts'

export async function runPutFollow(session: Session, flags: PutFlags, words: Words): Promise<Outcome> {
  assertFlags(flags, words)
  const stream = wordAt(words, 0) ?? ''
  return followFlows(session, {
    config: configOf(session, flags, stream),
    folder: statePlace(session.host, flags),
    once: flags.once === true,
    reset: undefined,
    reread: undefined
  })
}

/** The flow has the name of the stream: with other globs it goes on where it was. */
function configOf(session: Session, flags: PutFlags, stream: string): AgentConfig {
  const { config } = session.flags
  const common = givenConfig(session)
  const producer: ProducerOptions = {
    ...common.producer,
    ...(flags.ordering === undefined ? undefined : { ordering: flags.ordering }),
    ...(flags.dedupe === true ? { dedupeTags: true } : undefined),
    ...(flags.aggregation ? undefined : { aggregationEnabled: false })
  }
  const { keepCr = false, keepNewline = false, maxLine: maxLineBytes, maxRecord } = flags
  const maxRecordBytes = Number(producer.maxUserRecordBytes ?? OPTIONS.maxUserRecordBytes.default)
  const hasDeadLetter = flags.deadLetter !== undefined
  return {
    path: config ?? '--follow',
    region: common.region,
    endpoint: common.endpoint,
    state: undefined,
    flows: [
      {
        settings: {
          ...DEFAULT_FLOW,
          id: stream,
          files: (flags.follow ?? []).map(glob => resolve(session.host.cwd, glob)),
          from: flags.from ?? DEFAULT_FLOW.from,
          framing: {
            ...DEFAULT_FRAMING,
            keepCr,
            keepNewline,
            maxLineBytes,
            maxRecordBytes,
            maxRecord,
            truncatedTerminator: keepNewline ? '\n' : ''
          },
          onFailure: flags.onFailure === 'stop' ? 'stop' : hasDeadLetter ? 'dead-letter' : 'retry'
        },
        stream,
        key: flags,
        badKey: flags.badKey,
        process: [],
        deadLetter: hasDeadLetter ? resolve(session.host.cwd, flags.deadLetter) : undefined,
        producer
      }
    ]
  }
}

function assertFlags(flags: PutFlags, words: Words): void {
  const given: readonly (readonly [name: string, isGiven: boolean])[] = [
    ['FILE', listAt(words, 1).length > 0],
    ['--in', flags.in !== 'lines'],
    ['--delimiter', flags.delimiter !== undefined],
    ['--null', flags.null === true],
    ['--key-column', flags.keyColumn !== undefined],
    ['--hash-key', flags.hashKey !== undefined],
    ['--schema', flags.schema !== undefined],
    ['--rate', flags.rate !== undefined],
    ['--count', flags.count !== undefined],
    ['--skip', flags.skip > 0],
    ['--out', flags.out !== 'none'],
    ['--tee', flags.tee === true],
    ['--dry-run', flags.dryRun === true],
    ['--gunzip', flags.gunzip === true],
    ['--schema', flags.schema !== undefined]
  ]
  const names = given.flatMap(([name, isGiven]) => (isGiven ? name : []))
  if (names.length > 0) throw new CliError('CLI_ERR_USAGE', `${names.join(', ')} cannot go with --follow`)
}
