import { useTitle } from '../../ui/title.js';

export function WorkersView() {
  useTitle('Workers and queues');
  return <h1>Workers and queues</h1>;
}
