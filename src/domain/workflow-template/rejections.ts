/** Why an intent was refused. A refusal leaves no event. */
export type TemplateRejection =
  | { readonly type: 'NotFound' }
  | { readonly type: 'AlreadyThere' }
  | { readonly type: 'Archived' }
