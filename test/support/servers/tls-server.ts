import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removeEmbedded, startEmbedded } from '../../../src/infrastructure/postgres/embedded/index.ts'
import { isRoot, serverAccount } from '../../../src/infrastructure/postgres/embedded/os-user.ts'
import { dataDirectory } from './data-directory.ts'

/** Null where a server with TLS can be made, else why it cannot. */
export const noTls =
  spawnSync('openssl', ['version']).status === 0 ? null : 'openssl, which makes the certificate, is not installed'

export interface TlsServer {
  /** The connection string with the IP address, which the certificate does not name. */
  readonly url: string
  /** The self-signed certificate, for `localhost`. */
  readonly certificate: string
  readonly stop: () => Promise<void>
}

/** Starts a server with TLS and a certificate of an unknown authority, as managed databases have. */
export const startTlsServer = async (): Promise<TlsServer> => {
  const directory = await mkdtemp(join(tmpdir(), 'commandbus-tls-'))
  const [key, certificate] = [join(directory, 'server.key'), join(directory, 'server.crt')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, '-keyout', key, '-out', certificate],
    { stdio: 'pipe' },
  )
  await chmod(directory, 0o755)
  await chmod(key, 0o600)
  if (isRoot()) await chown(key, serverAccount().uid, serverAccount().gid)
  const home = join(dataDirectory(), `commandbus-test-${process.pid}-${randomBytes(6).toString('hex')}`)
  const settings = { fsync: 'off', ssl: 'on', ssl_cert_file: certificate, ssl_key_file: key }
  const server = await startEmbedded({ home, settings })
  return {
    url: server.url,
    certificate,
    stop: async () => {
      await server.release()
      await removeEmbedded(home)
      await rm(directory, { recursive: true, force: true })
    },
  }
}
