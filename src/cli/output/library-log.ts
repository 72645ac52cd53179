/**
 * The library's log as a command shows it: all of it with --verbose, otherwise the outages only.
 * Example: a service that is away for an hour is one warning and one note; without them, a command that waits looks like one that works.
 * Invariant: failures of records are not told here; the command tells them itself.
 */
import type { Logger } from '../../index.ts'
import type { Session } from '../session.ts'
import { grouped } from './progress.ts'

export function libraryLog(session: Session): Logger {
  return session.flags.verbose === true ? wholeLog(session) : outageLog(session)
}

function wholeLog({ host }: Session): Logger {
  const line =
    (level: string) =>
    (message: string, ...fields: object[]) => {
      void host.stderr.write(`${level} ${message}${fields.map(field => ` ${JSON.stringify(field)}`).join('')}\n`)
    }
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
}

function outageLog(session: Session): Logger {
  return {
    debug: ignore,
    warn: ignore,
    info(message, fields = {}) {
      if (message !== 'breaker closed') return
      const { streamName, openMs } = fieldsOf(fields)
      void session.note(`stream ${streamName}: Kinesis answers again, after ${grouped(Number(openMs))} ms`)
    },
    error(message, fields = {}) {
      if (message !== 'breaker opened') return
      const { streamName, errorCode, error, endpoint } = fieldsOf(fields)
      const code = String(errorCode)
      const reason = String(error)
      const place = endpoint === undefined ? '' : ` (${endpoint})`
      session.errors.warn(
        'KPL_WARN_BREAKER_OPEN',
        `stream ${streamName}: Kinesis takes nothing now${place}, and is tried again: ${reason.startsWith(code) ? reason : `${code}: ${reason}`}`
      )
    }
  }
}

function fieldsOf(fields: object): Readonly<Record<string, unknown>> {
  return { ...fields }
}

function ignore(): void {}
