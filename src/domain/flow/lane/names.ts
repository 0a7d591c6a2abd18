/** No domain has a `/`, and a lane's name may have anything. */
export const laneIdOf = (domain: string, name: string): string => `${domain}/${name}`

const LANE = 'lane-'
const LIMIT = 'limit-'

/** `lane-<domain>/<lane>` */
export const laneStream = (laneId: string): string => `${LANE}${laneId}`

/** `limit-<domain>/<name>` */
export const limitStream = (limitId: string): string => `${LIMIT}${limitId}`

export const isLaneStream = (stream: string): boolean => stream.startsWith(LANE)

export const isLimitStream = (stream: string): boolean => stream.startsWith(LIMIT)
