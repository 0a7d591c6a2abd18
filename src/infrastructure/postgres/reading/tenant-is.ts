/** Whether a column's tenant is in the scope that a parameter names; null names all, and `''` what has no tenant. */
export const tenantIs = (parameter: string, column: string): string =>
  `(${parameter}::text is null or coalesce(${column}, '') = ${parameter}::text)`
