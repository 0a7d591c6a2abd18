export interface Ids {
  /** A new UUID, ordered by time. */
  readonly next: () => string
}
