import type { Problem } from '../../../../src/client/types.js';

const mostListed = 200;

/** What is wrong and where; a click leads to the place in the document. */
export function ProblemList({ problems, onGoTo }: { problems: readonly Problem[]; onGoTo: (path: string) => void }) {
  return (
    <div class="table-scroll">
      <table>
        <caption class="visually-hidden">Problems of the graph</caption>
        <thead>
          <tr>
            <th scope="col">Where</th>
            <th scope="col">What</th>
          </tr>
        </thead>
        <tbody>
          {problems.slice(0, mostListed).map(({ path, code, message }) => (
            <tr key={`${path} ${code} ${message}`}>
              <td>
                {path === '' ? (
                  'the whole'
                ) : (
                  <button type="button" class="link mono" onClick={() => onGoTo(path)}>
                    {path}
                  </button>
                )}
              </td>
              <td>
                {message} <span class="faint nowrap">({code})</span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
