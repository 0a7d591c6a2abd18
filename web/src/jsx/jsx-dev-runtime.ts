import { jsxDEV as element } from 'react/jsx-dev-runtime'
import { visibleProps } from './visible-props.ts'

export { Fragment } from 'react/jsx-dev-runtime'

/** As in jsx-runtime.ts, where the sources are served as they are. */
export const jsxDEV: typeof element = (type, props, ...rest) => element(type, visibleProps(type, props), ...rest)
