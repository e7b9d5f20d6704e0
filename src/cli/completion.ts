import type { Command, Option } from 'commander';

/** Completion scripts, made from the commands as they are: nothing to keep in step. */
export const shells = ['bash', 'zsh', 'fish'] as const;

interface Known {
  /** `graph run`; empty for the program itself. */
  readonly path: string;
  readonly description: string;
  readonly commands: readonly string[];
  readonly options: readonly Option[];
}

export function completionScript(shell: (typeof shells)[number], program: Command): string {
  const known = walk(program, []);
  if (shell === 'bash') return bash(known);
  return shell === 'zsh' ? zsh(known) : fish(known);
}

function walk(command: Command, path: readonly string[]): Known[] {
  const names = command.commands.map((child) => child.name());
  const own = {
    path: path.join(' '),
    description: command.description(),
    commands: names,
    options: command.options.filter(({ hidden }) => !hidden),
  };
  return [own, ...command.commands.flatMap((child) => walk(child, [...path, child.name()]))];
}

const words = ({ commands, options }: Known) =>
  [...commands, ...options.flatMap(({ short, long }) => [short, long])].filter((word) => word !== undefined).join(' ');

/** Those that are followed by a value wherever they are known. */
function valueFlags(known: readonly Known[]): string {
  const flags = known.flatMap(({ options }) => options);
  const plain = new Set(flags.filter(({ required }) => !required).flatMap(({ short, long }) => [short, long]));
  const valued = flags.filter(({ required }) => required).flatMap(({ short, long }) => [short, long]);
  return [...new Set(valued)].filter((flag) => flag !== undefined && !plain.has(flag)).join('|');
}

function bash(known: readonly Known[]): string {
  const groups = known.filter(({ path, commands }) => path !== '' && commands.length > 0).map(({ path }) => path);
  return `# bash completion of pixyz: source <(pixyz completion bash)
_pixyz() {
  local cur=\${COMP_WORDS[COMP_CWORD]} word path= takes_value=
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [ -n "$takes_value" ]; then takes_value=; continue; fi
    case $word in
      ${valueFlags(known)}) takes_value=1 ;;
      -*) ;;
      *) case " ${groups.join(' ')} " in *" $path "*) [ -n "$path" ] && path="$path $word" ;; *) path=\${path:-$word} ;; esac ;;
    esac
  done
  # Nothing of ours: file names, as the shell completes them.
  if [ -n "$takes_value" ]; then COMPREPLY=(); return; fi
  local words
  case $path in
${known.map((one) => `    '${one.path}') words='${words(one)}' ;;`).join('\n')}
    *) words= ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _pixyz pixyz`;
}

function zsh(known: readonly Known[]): string {
  return `#compdef pixyz
# zsh completion of pixyz: the bash one, which zsh understands
autoload -U +X bashcompinit && bashcompinit
${bash(known)}`;
}

function fish(known: readonly Known[]): string {
  const quote = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = known.flatMap(({ path, commands, options }) => {
    const condition =
      path === ''
        ? '__fish_use_subcommand'
        : path
            .split(' ')
            .map((word) => `__fish_seen_subcommand_from ${word}`)
            .join('; and ');
    const children = commands.map((name) => {
      const child = known.find((one) => one.path === (path === '' ? name : `${path} ${name}`));
      return `complete -c pixyz -f -n ${quote(condition)} -a ${name} -d ${quote(child?.description ?? '')}`;
    });
    const flags = options.map(({ short, long, description, required }) =>
      [
        `complete -c pixyz -n ${quote(condition)}`,
        short === undefined ? '' : `-s ${short.slice(1)}`,
        long === undefined ? '' : `-l ${long.slice(2)}`,
        required ? '-r' : '',
        `-d ${quote(description)}`,
      ]
        .filter(Boolean)
        .join(' '),
    );
    return [...children, ...flags];
  });
  return ['# fish completion of pixyz', ...lines].join('\n');
}
