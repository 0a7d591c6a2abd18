/** A size as people read it: `1,024 KB`. */
export const byteCount = (bytes: number): string => `${new Intl.NumberFormat().format(Math.ceil(bytes / 1_000))} KB`
