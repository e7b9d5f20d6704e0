import { completionScript, shells } from '../completion.js';
import type { Commands } from '../context.js';
import { CliError, exitCodes } from '../exit-codes.js';

export function completionCommand(commands: Commands): void {
  commands
    .add(
      'completion <shell>',
      `completion for ${shells.join(', ')}`,
      (command) => command,
      ({ out }, _flags, name) => {
        const shell = shells.find((known) => known === name);
        if (shell === undefined)
          throw new CliError(`there is no completion for ${name}, but for ${shells.join(', ')}`, exitCodes.usage);
        out.print(completionScript(shell, commands.program));
        return 0;
      },
    )
    .addHelpText(
      'after',
      '\nExamples:\n  source <(pixyz completion bash)\n  pixyz completion zsh > ~/.zfunc/_pixyz\n  pixyz completion fish > ~/.config/fish/completions/pixyz.fish',
    );
}
