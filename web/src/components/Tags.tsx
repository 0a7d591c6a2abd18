import { Badge } from './StatusBadge.tsx'

/** Tags as chips. */
export const Tags = ({ tags }: { readonly tags: readonly string[] }) => (
  <span className="inline-flex flex-wrap gap-1">
    {tags.map(tag => (
      <Badge key={tag} tone="info">
        {tag}
      </Badge>
    ))}
  </span>
)
