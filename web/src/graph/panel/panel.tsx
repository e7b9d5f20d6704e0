import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { Icon } from '../../ui/icon.js';

/** What is known of the thing that was clicked, beside the drawing. The focus goes there, and Escape closes it. */
export function Panel({
  title,
  subject,
  head,
  onClose,
  children,
}: {
  title: string;
  /** Another one takes the focus anew. */
  subject: string;
  head: ComponentChildren;
  onClose: () => void;
  children: ComponentChildren;
}) {
  const id = useId();
  const heading = useRef<HTMLHeadingElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: of another subject
  useEffect(() => {
    // On a narrow screen it lies below the drawing.
    heading.current?.focus({ preventScroll: matchMedia('(min-width: 901px)').matches });
  }, [subject]);
  return (
    <section
      class="card panel"
      aria-labelledby={id}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && !(event.target as Element).closest('dialog')) onClose();
      }}
    >
      <header>
        <div class="panel-title">
          <h2 id={id} ref={heading} tabIndex={-1}>
            {title}
          </h2>
          <button type="button" class="quiet icon-only small" onClick={onClose} aria-label="Close the details">
            <Icon name="cancel" />
          </button>
        </div>
        {head}
      </header>
      <div class="panel-body">{children}</div>
    </section>
  );
}
