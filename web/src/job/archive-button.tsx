import { useState } from 'preact/hooks';
import { Icon } from '../ui/icon.js';

/** The archive is made when it is first asked for, which may take a while for large outputs. */
export function ArchiveButton({ job }: { job: string }) {
  const [packing, setPacking] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const fetchArchive = async () => {
    setPacking(true);
    setProblem(null);
    for (;;) {
      // The first byte tells whether it is there: the browser itself then downloads it, however large.
      const answer = await fetch(`/jobs/${job}/outputs/archive`, { headers: { range: 'bytes=0-0' } });
      if (answer.ok) break;
      if (answer.status !== 425) {
        setPacking(false);
        setProblem(`the archive cannot be made (${answer.status})`);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    setPacking(false);
    const link = document.createElement('a');
    link.href = `/jobs/${job}/outputs/archive`;
    link.download = `${job}.zip`;
    link.click();
  };
  return (
    <>
      {problem !== null && <span class="problem">{problem}</span>}
      <button type="button" class="small" disabled={packing} onClick={() => void fetchArchive()}>
        <Icon name="download" />
        {packing ? 'Packing …' : 'All as zip'}
      </button>
    </>
  );
}
