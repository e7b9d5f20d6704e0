import { useTitle } from '../ui/title.js';

export function NotFoundView() {
  useTitle('Not found');
  return (
    <div class="empty">
      <h1>There is no such page</h1>
      <p>
        <a href="/ui/jobs">To the jobs</a>
      </p>
    </div>
  );
}
