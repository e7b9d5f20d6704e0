export function LostNote() {
  return (
    <p class="note" role="status">
      The connection is lost: what is shown may be old. Trying again …
    </p>
  );
}
