/** @param value percent; null while it is not known how far */
export function ProgressBar({ value, label }: { value: number | null; label: string }) {
  return value === null ? (
    <progress class="bar" max={100} aria-label={label} />
  ) : (
    <progress class="bar" max={100} value={value} aria-label={label}>
      {value} %
    </progress>
  );
}
