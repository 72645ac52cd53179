/**
 * `tail --decode glue`: a record with a Glue frame enters, its data and the schema of its writer leave.
 * Invariant: what cannot be decoded is shown as it is, with the id of its version, and said once a kind; what has no frame is
 * handed on.
 */
import { glueDecoder, readFrame } from '../../glue/index.ts'
import type { StreamRecord } from '../../reader/read-stream.ts'
import { shownError } from '../errors.ts'
import { glueClient } from '../schema/glue-client.ts'
import type { Session } from '../session.ts'

/** The shown facts of a record's schema; only the id when Glue did not give the others. */
export interface ShownSchema {
  readonly versionId: string
  readonly name?: string | undefined
  readonly dataFormat?: string | undefined
}

export interface ShownRecord extends StreamRecord {
  readonly schema?: ShownSchema | undefined
}

export interface TailDecoder {
  decode(record: StreamRecord): Promise<ShownRecord>
  close(): void
}

export async function tailDecoder(session: Session, glueEndpoint: string | undefined): Promise<TailDecoder> {
  const client = await glueClient(session, glueEndpoint)
  const { clock } = session.host
  const decoder = glueDecoder({ client, clock, onUndecodable: 'throw' })
  return {
    async decode(record) {
      const frame = readFrame(record.data)
      if (frame === undefined) return record
      const { versionId } = frame
      try {
        const { schema, ...decoded } = await decoder.decode(record)
        return { ...decoded, schema: { versionId, name: schema?.name, dataFormat: schema?.dataFormat } }
      } catch (error) {
        const { code, message, fix } = shownError(error)
        session.errors.tell(code, message, fix)
        return { ...record, schema: { versionId } }
      }
    },
    close: () => client.destroy()
  }
}
