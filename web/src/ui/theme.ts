import { signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';

export const theme = signal<Theme>((document.documentElement.dataset['theme'] as Theme | undefined) ?? 'system');

export function chooseTheme(next: Theme): void {
  theme.value = next;
  if (next === 'system') {
    delete document.documentElement.dataset['theme'];
    localStorage.removeItem('theme');
  } else {
    document.documentElement.dataset['theme'] = next;
    localStorage.setItem('theme', next);
  }
}
