/** How much of something is taken, as a bar with words. */
export function Meter({
  label,
  value,
  max,
  words,
  warns = false,
}: {
  label: string;
  value: number;
  max: number;
  /** Such as "3 of 4". */
  words: string;
  /** It is bad when little is left. */
  warns?: boolean;
}) {
  const share = max <= 0 ? 0 : Math.min(1, value / max);
  return (
    <div class="meter">
      <div class="meter-words">
        <span class="soft">{label}</span>
        <span>{words}</span>
      </div>
      <div class="meter-track" aria-hidden="true">
        <span style={{ width: `${share * 100}%` }} data-full={warns && share >= 0.9} />
      </div>
    </div>
  );
}
