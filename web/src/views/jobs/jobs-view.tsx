import { useTitle } from '../../ui/title.js';

export function JobsView() {
  useTitle('Jobs');
  return <h1>Jobs</h1>;
}
