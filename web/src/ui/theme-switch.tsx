import { Icon } from './icon.js';
import { chooseTheme, type Theme, theme } from './theme.js';

const next: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' };
const words: Record<Theme, string> = { system: 'as the system', light: 'light', dark: 'dark' };

export function ThemeSwitch() {
  const now = theme.value;
  const label = `Colours: ${words[now]}. Change to ${words[next[now]]}`;
  return (
    <button type="button" class="quiet icon-only" onClick={() => chooseTheme(next[now])} title={label}>
      <Icon name={now === 'light' ? 'sun' : now === 'dark' ? 'moon' : 'system'} />
      <span class="visually-hidden">{label}</span>
    </button>
  );
}
