import { useTitle } from '../ui/title.js';

export function GraphView() {
  useTitle('Graph');
  return <h1>Graph</h1>;
}
