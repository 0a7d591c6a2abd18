import { maskSecrets } from '../../../../application/shared/mask-secrets.ts'
import type { proofRoutes } from '../../../../contract/proof.ts'
import type { ResponseOf } from '../../../../contract/route.ts'
import type { ProofStats } from '../../../proof/background-check.ts'
import type { Finding } from '../../../proof/chain/finding.ts'

type Answer = ResponseOf<typeof proofRoutes.getProof>

/** The state of the proof for a caller who may audit. The log holds all tenants: only callers who may see `ofAll` get its streams. */
export const proofAnswer = (stats: ProofStats | null, ofAll: boolean, now = Date.now()): Answer => {
  const at = new Date(now).toISOString()
  if (stats === null) return { ...nothing, at }
  const { findings, found, verifiedAt, roundSince, sealLagSeconds, failing } = stats
  return {
    at,
    checking: true,
    verdict: findings > 0 ? 'DOES_NOT_HOLD' : verifiedAt === null ? 'UNKNOWN' : 'HOLDS',
    verifiedAt: instantOf(verifiedAt),
    verifiedAgeSeconds: verifiedAt === null ? null : Math.max(0, Math.round((now - verifiedAt) / 1000)),
    roundSince: instantOf(roundSince),
    findings,
    found: ofAll ? found.map(findingAnswer) : [],
    sealLagSeconds,
    failing: failing === null ? null : maskSecrets(failing),
  }
}

const nothing: Omit<Answer, 'at'> = {
  checking: false,
  verdict: 'UNKNOWN',
  verifiedAt: null,
  verifiedAgeSeconds: null,
  roundSince: null,
  findings: 0,
  found: [],
  sealLagSeconds: null,
  failing: null,
}

const findingAnswer = ({ kind, stream, revision, column, message }: Finding) => ({
  kind,
  stream,
  revision,
  column,
  message: maskSecrets(message),
})

const instantOf = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString())
