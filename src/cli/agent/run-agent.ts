/**
 * `agent --config FILE`: the flows of a config file, ours or the Kinesis Agent's.
 * Invariant: a file of the Kinesis Agent that asks for a missing feature is refused, unless --skip-firehose names it.
 */
import type { Outcome } from '../command.ts'
import { CliError } from '../errors.ts'
import type { Session } from '../session.ts'
import type { AgentConfig } from './config.ts'
import { followFlows } from './follow-flows.ts'
import { importText, readAgentConfig } from './read-config.ts'
import { missingOf } from './run-import.ts'
import { type StateFlags, statePlace } from './state-place.ts'

export interface AgentFlags extends StateFlags {
  readonly once?: boolean
  readonly reset?: 'start' | 'end'
  readonly skipFirehose?: boolean
}

export async function runAgent(session: Session, flags: AgentFlags): Promise<Outcome> {
  const read = () => usableConfig(session, flags)
  const placeOf = (config: AgentConfig) => statePlace(session.host, flags, config.state)
  const config = read()
  const folder = placeOf(config)
  const reread = () => {
    const next = read()
    const place = placeOf(next)
    if (place !== folder)
      session.errors.warn(
        'CLI_WARN_STATE',
        `the state directory is ${place} from the next start on; until then ${folder}`
      )
    return next
  }
  return followFlows(session, { config, folder, once: flags.once === true, reset: flags.reset, reread })
}

function usableConfig(session: Session, flags: AgentFlags): AgentConfig {
  const { config, imported } = readAgentConfig(session.flags.config)
  if (imported === undefined) return config
  void session.note(importText(imported))
  const missing = missingOf(imported, flags.skipFirehose === true)
  if (missing.length === 0) return config
  throw new CliError('CLI_ERR_CONFIG', `${config.path}: ${missing.slice(0, 5).join(', ')} cannot be had here`, {
    fix: 'make a config with `agent import` and correct it; --skip-firehose leaves out flows to Firehose'
  })
}
