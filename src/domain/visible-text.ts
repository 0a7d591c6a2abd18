const PICTURE = String.raw`\p{Extended_Pictographic}[\u{1F3FB}-\u{1F3FF}]?\uFE0F?`
const KEPT = String.raw`${PICTURE}(?:\u200D${PICTURE})*|\r\n|[\n\t]`
const HIDDEN = String.raw`[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]`
const keptOrHidden = new RegExp(`(${KEPT})|${HIDDEN}`, 'gu')

const written = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`

/**
 * Escapes what a screen does not show, as in `\u202E`: control characters, marks that turn the direction of a text, characters
 * without width, lone surrogates. Line ends, tabs and the joiners of emoji stay. Inside JSON it is the same value.
 */
export const visible = (text: string): string =>
  text.replace(keptOrHidden, (found, kept: string | undefined) => kept ?? found.split('').map(written).join(''))

/** Escapes what ends a line for some readers or controls a terminal. (JSON itself escapes what is below U+0020.) */
export const plainJson = (json: string): string => json.replace(/[\u007f-\u009f\u2028\u2029]/g, written)
