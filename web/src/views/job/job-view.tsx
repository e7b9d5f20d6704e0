import { useTitle } from '../../ui/title.js';

export function JobView() {
  useTitle('Job');
  return <h1>Job</h1>;
}
