import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Inspection, ScriptInspector } from '../../src/api/deps.js';

const program = `
import ast, json, sys
path, entrypoint = sys.argv[1:3]
def end(value):
    print(json.dumps(value)); raise SystemExit(0)
try:
    tree = ast.parse(open(path, 'rb').read())
except (SyntaxError, ValueError, UnicodeDecodeError) as error:
    end({'ok': False, 'problem': 'the script cannot be parsed: %s' % error})
found = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == entrypoint]
if not found:
    end({'ok': False, 'problem': 'the script has no function "%s" at module level' % entrypoint})
settings = {}
for deco in found[-1].decorator_list:
    if isinstance(deco, ast.Call) and getattr(deco.func, 'id', '') == 'pixyz_schedule':
        settings = {k.arg: k.value.value for k in deco.keywords if isinstance(k.value, ast.Constant)}
end({'ok': True, 'settings': settings, 'doc': ast.get_docstring(found[-1])})
`;

/** The smallest inspector that is real enough for the API: a process per script. */
export class PythonInspector implements ScriptInspector {
  async inspect(path: string, entrypoint: string): Promise<Inspection> {
    const { stdout } = await promisify(execFile)('python3', ['-c', program, path, entrypoint]);
    return JSON.parse(stdout) as Inspection;
  }
}
