import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type JWTPayload, SignJWT } from 'jose'
import { onTestFinished } from 'vitest'

export interface SigningKey {
  readonly alg: string
  readonly kid: string
  readonly publicKey: KeyObject
  /** Signs claims, which are by default valid for an hour. */
  readonly sign: (claims?: object) => Promise<string>
}

const pairOf = (alg: string): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } => {
  if (alg === 'EdDSA') return generateKeyPairSync('ed25519')
  return alg.startsWith('ES')
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('rsa', { modulusLength: 2048 })
}

export const signingKey = (alg: string, kid: string): SigningKey => {
  const { publicKey, privateKey } = pairOf(alg)
  const sign = (claims: object = {}) =>
    new SignJWT({
      sub: 'jane@example.com',
      roles: ['ADMIN'],
      exp: Math.floor(Date.now() / 1000) + 3600,
      ...claims,
    } as JWTPayload)
      .setProtectedHeader({ alg, kid })
      .sign(privateKey)
  return { alg, kid, publicKey, sign }
}

export interface KeyServer {
  readonly url: string
  /** Sets the keys that it publishes from now on; `answer` sets any other answer. */
  readonly publish: (...keys: readonly SigningKey[]) => void
  readonly answer: (status: number, body: string) => void
  readonly asked: () => number
  readonly stop: () => Promise<void>
}

/** Starts a server that publishes an identity provider's public keys. */
export const openKeyServer = async (): Promise<KeyServer> => {
  let reply: readonly [status: number, body: string] = [200, '{"keys":[]}']
  let asked = 0
  const server = createServer((_, response) => {
    asked++
    response.writeHead(reply[0], { 'content-type': 'application/json', connection: 'close' }).end(reply[1])
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const stop = () =>
    new Promise<void>(resolve => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  onTestFinished(stop)
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`,
    publish: (...keys) => {
      const set = keys.map(({ publicKey, alg, kid }) => ({
        ...publicKey.export({ format: 'jwk' }),
        alg,
        kid,
        use: 'sig',
      }))
      reply = [200, JSON.stringify({ keys: set })]
    },
    answer: (status, body) => {
      reply = [status, body]
    },
    asked: () => asked,
    stop,
  }
}
