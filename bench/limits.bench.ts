/**
 * The machine's own rates for the work that every producer has to do: copying, the MD5 of aggregates, base64, the
 * SHA-256 of request bodies, and TLS.
 * Verified before it is timed: digests and base64 against known answers, and the sink must have got every byte.
 */
import { hash } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:tls'
import { sampled, withChild } from './harness/child.ts'
import { meter, perSecond } from './harness/meter.ts'
import { barsOf, type Cell, metric, type Report } from './harness/report.ts'
import { ROUNDS, scaled } from './harness/settings.ts'
import { openSink } from './sink/place.ts'

const BODY_BYTES = 5_000_000
const ENVELOPE_BYTES = 51_200
const BYTES_PER_ROUND = scaled(500_000_000, 10_000_000)
const EMPTY_MD5 = 'd41d8cd98f00b204e9800998ecf8427e'

const WORKS = {
  'memory copy of 5 MB': copy,
  'MD5 of 50 KB aggregates': md5,
  'SHA-256 of 5 MB bodies': sha256,
  'base64 of 50 KB into a body': base64
} as const
type Work = keyof typeof WORKS

interface Throughput {
  readonly perSecond: number
  readonly perCpuSecond: number
}

export async function run(): Promise<Report> {
  const rows: Cell[][] = []
  for (const work of Object.keys(WORKS) as Work[])
    rows.push(rowOf(work, await sampled<Own, Throughput>(OWN, child => child.call('measure', work), { warmUps: 1 })))
  rows.push(rowOf('TLS: 5 MB bodies over a socket of this machine', await sampledTls()))
  const title = 'physical limits, each measured alone in a process of its own'
  return {
    title: 'Physical limits',
    tables: [{ title, columns: ['work', 'wall time', 'CPU time'], rows }],
    plots: [{ kind: 'bars', title: 'bytes a CPU second', unit: 'bytes/CPU s', bars: barsOf(rows, 1, 2, () => 'floor') }]
  }
}

interface Own {
  measure: typeof measure
  openTls: typeof openTls
  measureTls: typeof measureTls
}

const OWN = new URL('./limits.bench.js', import.meta.url)

async function sampledTls(): Promise<Throughput[]> {
  const { sink, endpoint, env, close } = await openSink(1)
  try {
    const send = async (): Promise<Throughput[]> =>
      withChild<Own, Throughput[]>(
        OWN,
        async child => {
          await child.call('openTls', Number(new URL(endpoint).port))
          const samples: Throughput[] = []
          for (let round = -1; round < ROUNDS; round++) samples.push(await child.call('measureTls'))
          return samples.slice(1)
        },
        env
      )
    const samples = await send()
    const { bodyBytes } = await sink.call('takeCounts')
    if (bodyBytes !== (ROUNDS + 1) * requestsPerRound() * BODY_BYTES) throw new Error('bytes are missing')
    return samples
  } finally {
    await close()
  }
}

function rowOf(work: string, samples: readonly Throughput[]): Cell[] {
  const [wall, cpu] = [samples.map(rate => rate.perSecond), samples.map(rate => rate.perCpuSecond)]
  return [work, metric('bytes/s', wall), metric('bytes/CPU s', cpu)]
}

/** In a process of its own. */
export async function measure(work: Work): Promise<Throughput> {
  const { wallMs, cpuMs } = await meter(() => WORKS[work](BYTES_PER_ROUND))
  return { perSecond: perSecond(BYTES_PER_ROUND, wallMs), perCpuSecond: perSecond(BYTES_PER_ROUND, cpuMs) }
}

const source = Buffer.alloc(BODY_BYTES, 'kinesis')
const target = Buffer.alloc(BODY_BYTES * 2)

function copy(bytes: number): void {
  for (let done = 0; done < bytes; done += BODY_BYTES) source.copy(target)
  if (!target.subarray(0, BODY_BYTES).equals(source)) throw new Error('a copy differs')
}

function md5(bytes: number): void {
  if (hash('md5', '', 'hex') !== EMPTY_MD5) throw new Error('a digest differs')
  const envelope = source.subarray(0, ENVELOPE_BYTES)
  for (let done = 0; done < bytes; done += ENVELOPE_BYTES) hash('md5', envelope, 'buffer')
}

function sha256(bytes: number): void {
  if (!hash('sha256', '', 'hex').startsWith('e3b0c442')) throw new Error('a digest differs')
  for (let done = 0; done < bytes; done += BODY_BYTES) hash('sha256', source, 'hex')
}

function base64(bytes: number): void {
  const envelope = source.subarray(0, ENVELOPE_BYTES)
  for (let done = 0; done < bytes; done += ENVELOPE_BYTES) target.write(envelope.toString('base64'), 0, 'latin1')
  const written = target.toString('latin1', 0, Math.ceil(ENVELOPE_BYTES / 3) * 4)
  if (!Buffer.from(written, 'base64').equals(envelope)) throw new Error('base64 differs')
}

let socket: ReturnType<typeof connect> | undefined

/** In a process of its own, like what follows. */
export async function openTls(port: number): Promise<void> {
  socket = connect({ port, host: 'localhost', servername: 'localhost', ALPNProtocols: ['http/1.1'] })
  await once(socket, 'secureConnect')
}

/** One request after the other on one connection, as HTTP/1.1 has it. */
export async function measureTls(): Promise<Throughput> {
  const body = Buffer.concat([
    Buffer.from('{"Records":[],"X":"'),
    Buffer.alloc(BODY_BYTES - 21, 'x'),
    Buffer.from('"}')
  ])
  const head =
    'POST / HTTP/1.1\r\nhost: localhost\r\nx-amz-target: Kinesis_20131202.PutRecords\r\n' +
    `content-type: application/x-amz-json-1.1\r\ncontent-length: ${BODY_BYTES}\r\n\r\n`
  const bytes = requestsPerRound() * BODY_BYTES
  const { wallMs, cpuMs } = await meter(async () => {
    for (let i = 0; i < requestsPerRound(); i++) {
      socket!.cork()
      socket!.write(head)
      socket!.write(body)
      socket!.uncork()
      await once(socket!, 'data')
    }
  })
  return { perSecond: perSecond(bytes, wallMs), perCpuSecond: perSecond(bytes, cpuMs) }
}

function requestsPerRound(): number {
  return Math.ceil(BYTES_PER_ROUND / BODY_BYTES)
}
