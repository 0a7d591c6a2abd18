import { jsx as element, jsxs as elements } from 'react/jsx-runtime'
import { visibleProps } from './visible-props.ts'

export { Fragment } from 'react/jsx-runtime'

// Every text of every page comes through here, so that no page can forget what ids, names and messages may hide.
export const jsx: typeof element = (type, props, key) => element(type, visibleProps(type, props), key)
export const jsxs: typeof elements = (type, props, key) => elements(type, visibleProps(type, props), key)
