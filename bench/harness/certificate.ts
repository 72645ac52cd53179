/**
 * A self-signed X.509 certificate for this machine, made when it is needed.
 * Invariant: it names localhost and 127.0.0.1 and nothing else, is its own authority, and its key never leaves memory
 * but to the sink. node:crypto signs but does not write certificates, so the DER (ITU-T X.690, RFC 5280) is written here.
 *
 * Certificate = SEQUENCE { TBSCertificate, algorithm, BIT STRING signature }
 * TBSCertificate = SEQUENCE { [0] version, serial, algorithm, issuer, validity, subject, public key, [3] extensions }
 */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'

export interface Certificate {
  /** PEM texts. */
  readonly key: string
  readonly cert: string
}

const BOOLEAN = 0x01
const INTEGER = 0x02
const BIT_STRING = 0x03
const OCTET_STRING = 0x04
const UTF8_STRING = 0x0c
const UTC_TIME = 0x17
const SEQUENCE = 0x30
const SET = 0x31
const VERSION = 0xa0
const EXTENSIONS = 0xa3
const DNS_NAME = 0x82
const IP_ADDRESS = 0x87

const ECDSA_WITH_SHA256 = '06082a8648ce3d040302'
const COMMON_NAME = '0603550403'
const BASIC_CONSTRAINTS = '0603551d13'
const SUBJECT_ALTERNATIVE_NAME = '0603551d11'
const SERIAL_BYTES = 15
const DAY_MS = 86_400_000

/** Valid from yesterday for a week, with a fresh P-256 key. */
export function makeCertificate(): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = der(SEQUENCE, der(SET, der(SEQUENCE, hex(COMMON_NAME), der(UTF8_STRING, Buffer.from('localhost')))))
  const algorithm = der(SEQUENCE, hex(ECDSA_WITH_SHA256))
  const body = der(
    SEQUENCE,
    der(VERSION, der(INTEGER, hex('02'))),
    // A leading 1 keeps the number positive and of fixed length.
    der(INTEGER, hex('01'), randomBytes(SERIAL_BYTES)),
    algorithm,
    name,
    der(SEQUENCE, time(Date.now() - DAY_MS), time(Date.now() + 7 * DAY_MS)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(EXTENSIONS, extensions())
  )
  const signature = der(BIT_STRING, hex('00'), sign('sha256', body, privateKey))
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: pem(der(SEQUENCE, body, algorithm, signature))
  }
}

function extensions(): Buffer {
  const yes = der(BOOLEAN, hex('ff'))
  const isAuthority = der(SEQUENCE, yes)
  const names = der(SEQUENCE, der(DNS_NAME, Buffer.from('localhost')), der(IP_ADDRESS, hex('7f000001')))
  return der(
    SEQUENCE,
    der(SEQUENCE, hex(BASIC_CONSTRAINTS), yes, der(OCTET_STRING, isAuthority)),
    der(SEQUENCE, hex(SUBJECT_ALTERNATIVE_NAME), der(OCTET_STRING, names))
  )
}

function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\.\d+|[-:T]/g, '')
  // Two digits of the year, as RFC 5280 wants it until 2049.
  return der(UTC_TIME, Buffer.from(digits.slice(2)))
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const head = length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length]
  return Buffer.concat([Buffer.from(head), content])
}

function hex(digits: string): Buffer {
  return Buffer.from(digits, 'hex')
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}
