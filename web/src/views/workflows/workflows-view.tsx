import { useTitle } from '../../ui/title.js';

export function WorkflowsView() {
  useTitle('Workflows');
  return <h1>Workflows</h1>;
}
