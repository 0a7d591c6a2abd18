import { visible } from '../../../src/domain/visible-text.ts'

/** Properties that people read. What a field holds (`value`) is sent back as it is. */
const READ = ['children', 'title', 'alt', 'placeholder', 'aria-label'] as const

const shown = (value: unknown): unknown => {
  if (typeof value === 'string') return visible(value)
  return Array.isArray(value) ? value.map(shown) : value
}

/** The properties of an element of the page, with what a screen would hide written out; those of components stay exact. */
export const visibleProps = <Props>(type: unknown, props: Props): Props => {
  if ((typeof type !== 'string' && typeof type !== 'symbol') || typeof props !== 'object' || props === null)
    return props
  const read = READ.filter(name => name in props).map(name => [name, shown((props as Record<string, unknown>)[name])])
  return read.length === 0 ? props : { ...props, ...Object.fromEntries(read) }
}
