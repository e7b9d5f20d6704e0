import { useTitle } from '../ui/title.js';

export function PlanView() {
  useTitle('New graph');
  return <h1>New graph</h1>;
}
