import { useTitle } from '../../ui/title.js';

export function GraphsView() {
  useTitle('Graphs');
  return <h1>Graphs</h1>;
}
