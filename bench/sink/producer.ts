/**
 * Our producer in front of a sink: its defaults but for the rate limit, since a sink has none and the limiter would hold
 * the load back.
 * Invariant: every bench that sends to a sink opens its producer here, so that they measure the same thing.
 */
import { KinesisProducer, type ProducerOptions, type ProducerPorts } from '../../src/index.ts'
import { UNLIMITED_PERCENT } from '../harness/null-producer.ts'
import { CREDENTIALS, REGION, STREAM_NAME } from '../peers/contestant.ts'

/** The options of a transport to the sink at `endpoint`. */
export function sinkOptions(endpoint: string): Pick<ProducerOptions, 'region' | 'credentials' | 'endpoint'> {
  return { region: REGION, credentials: CREDENTIALS, endpoint }
}

export function sinkProducer(
  endpoint: string,
  more: Partial<ProducerOptions> = {},
  ports?: ProducerPorts
): KinesisProducer {
  const own = { streamName: STREAM_NAME, rateLimitPercent: UNLIMITED_PERCENT }
  return new KinesisProducer({ ...own, ...sinkOptions(endpoint), ...more }, ports)
}
