/**
 * The schema that the flags name: a file enters, a frame for `put` leaves.
 * Example: `--schema order.avsc --auto-register` on the stream orders -> schema orders, format AVRO.
 * Invariant: resolved before the first record is read; a dry run sends no request, and its frames have the right size.
 */
import { type DataFormat, type GlueSchema, glueRegistry, type SchemaRequest } from '../../glue/index.ts'
import type { RecordFrame } from '../../index.ts'
import { readText } from '../config.ts'
import { CliError } from '../errors.ts'
import type { Session } from '../session.ts'
import { glueClient } from './glue-client.ts'
import type { SchemaFlags } from './schema-flags.ts'

const FORMATS: readonly (readonly [ending: RegExp, format: DataFormat])[] = [
  [/\.avsc$/i, 'AVRO'],
  [/\.json$/i, 'JSON'],
  [/\.proto$/i, 'PROTOBUF']
]
const FRAME_BYTES = 18

/** Returns what goes before the data of every record; undefined without --schema. */
export async function frameFor(
  session: Session,
  flags: SchemaFlags,
  stream: string,
  isDry: boolean = false
): Promise<RecordFrame | undefined> {
  if (flags.schema === undefined) {
    assertNoSchemaFlags(flags)
    return undefined
  }
  return isDry ? { prefix: new Uint8Array(FRAME_BYTES) } : resolvedSchema(session, flags, stream)
}

/** Returns the schema of --schema. Rejects with SchemaError. */
export async function resolvedSchema(session: Session, flags: SchemaFlags, stream: string): Promise<GlueSchema> {
  const request = requestOf(flags, stream)
  const client = await glueClient(session, flags.glueEndpoint)
  try {
    const { registry: registryName, autoRegister, compatibility, compress: compression } = flags
    const { clock } = session.host
    const registry = glueRegistry({ client, clock, registryName, autoRegister, compatibility, compression })
    return await registry.schema(request)
  } finally {
    client.destroy()
  }
}

function requestOf({ schema = '', schemaName, schemaFormat }: SchemaFlags, stream: string): SchemaRequest {
  const dataFormat = schemaFormat ?? FORMATS.find(([ending]) => ending.test(schema))?.[1]
  if (dataFormat === undefined) {
    throw new CliError('CLI_ERR_USAGE', '--schema: the ending of the file is none of .avsc, .json and .proto', {
      fix: 'give --schema-format AVRO, JSON or PROTOBUF'
    })
  }
  const streamName = stream.replace(/^arn:.*\//, '')
  return { name: schemaName ?? streamName, dataFormat, definition: readText(schema), streamName }
}

/** A schema that was forgotten must not become records without one. */
function assertNoSchemaFlags(flags: SchemaFlags): void {
  const { schemaName, schemaFormat, registry, autoRegister, compatibility, compress } = flags
  const given = { schemaName, schemaFormat, registry, autoRegister, compatibility, compress }
  const [name] = Object.entries(given).find(([, value]) => value !== undefined) ?? []
  if (name === undefined) return
  const flag = name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
  throw new CliError('CLI_ERR_USAGE', `--${flag} needs --schema FILE`)
}
