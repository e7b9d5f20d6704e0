import { useTitle } from '../../ui/title.js';

export function SubmitView() {
  useTitle('Submit');
  return <h1>Submit</h1>;
}
