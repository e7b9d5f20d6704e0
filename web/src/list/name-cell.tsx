import type { ComponentChildren } from 'preact';

/** What a row is called, and below it what else tells it from others. Of a long name two lines are seen. */
export function NameCell({ href, name, children }: { href: string; name: string; children: ComponentChildren }) {
  return (
    <>
      <a class="row-name" href={href} title={name.length > 60 ? name : undefined}>
        {name}
      </a>
      <div class="faint small-text">{children}</div>
    </>
  );
}
