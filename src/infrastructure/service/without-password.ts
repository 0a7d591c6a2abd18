/** A connection string that people may see: without its password. */
export const withoutPassword = (connectionString: string): string => {
  const url = new URL(connectionString)
  if (url.password !== '') url.password = '***'
  if (url.searchParams.has('password')) url.searchParams.set('password', '***')
  return url.href
}
