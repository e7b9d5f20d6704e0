import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

/** A part of a view with a heading: a region that a screen reader can jump to. */
export function Section({
  title,
  actions,
  children,
  flush = false,
}: {
  title: string;
  /** Beside the heading. */
  actions?: ComponentChildren;
  children: ComponentChildren;
  /** Without room at the sides, for tables. */
  flush?: boolean;
}) {
  const id = useId();
  return (
    <section class="card section" aria-labelledby={id} data-flush={flush}>
      <header>
        <h2 id={id}>{title}</h2>
        {actions !== undefined && <div class="actions">{actions}</div>}
      </header>
      <div class="section-body">{children}</div>
    </section>
  );
}
