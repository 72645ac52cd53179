/** A Glue client in front of a fake registry, in memory, with the SDK's commands and errors. */
import { GlueClient } from '@aws-sdk/client-glue'
import type { LogFields, Logger } from '../../src/index.ts'
import {
  FakeGlue,
  type FakeGlueOptions,
  type FakeGlueServer,
  type FakeGlueServerOptions,
  startFakeGlue
} from '../../src/testing/index.ts'

export const AVRO_DEFINITION = '{"type":"record","name":"Customer","fields":[{"name":"name","type":"string"}]}'

export interface FakeClient {
  readonly glue: FakeGlue
  readonly client: { send(command: object): Promise<unknown>; readonly config: { region(): Promise<string> } }
  /** Calls under way at once, at most. */
  readonly most: () => number
}

/** Answers in a later turn, as a network does. */
export function fakeClient(options: FakeGlueOptions = {}): FakeClient {
  const glue = new FakeGlue(options)
  let underWay = 0
  let most = 0
  const client = {
    config: { region: async () => 'eu-west-1' },
    async send(command: object): Promise<unknown> {
      const operation = command.constructor.name.replace(/Command$/, '')
      most = Math.max(most, ++underWay)
      await new Promise(resolve => setImmediate(resolve))
      underWay--
      const fault = glue.takeFault(operation)
      if (fault !== undefined) throw serviceError(fault.code ?? 'ThrottlingException', fault.message ?? 'Rate exceeded')
      try {
        return glue.answer(operation, Reflect.get(command, 'input') as Readonly<Record<string, unknown>>)
      } catch (error) {
        const { code, message } = error as { readonly code: string; readonly message: string }
        throw serviceError(code, message)
      }
    }
  }
  return { glue, client, most: () => most }
}

/** As the SDK makes it. */
export function serviceError(name: string, message: string): Error {
  return Object.assign(new Error(message), { name, $fault: 'client', $metadata: { httpStatusCode: 400 } })
}

export async function glueServer(
  options: FakeGlueServerOptions = {}
): Promise<FakeGlueServer & { readonly client: GlueClient }> {
  const server = await startFakeGlue(options)
  const credentials = { accessKeyId: 'any', secretAccessKey: 'any' }
  const client = new GlueClient({ endpoint: server.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 })
  const close = async (): Promise<void> => {
    client.destroy()
    await server.close()
  }
  return { ...server, client, close }
}

export interface LoggedLine {
  readonly message: string
  readonly fields: LogFields | undefined
}

export function listeningLogger(): { readonly logger: Logger; readonly lines: LoggedLine[] } {
  const lines: LoggedLine[] = []
  const log = (message: string, fields?: LogFields) => void lines.push({ message, fields })
  return { logger: { debug: log, info: log, warn: log, error: log }, lines }
}
