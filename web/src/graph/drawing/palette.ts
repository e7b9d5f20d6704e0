import type { Tone } from '../../ui/states.js';

/** Colours of the theme as a canvas takes them. */
export interface Palette {
  readonly raised: string;
  readonly sunken: string;
  readonly line: string;
  readonly lineStrong: string;
  readonly text: string;
  readonly textSoft: string;
  readonly accent: string;
  readonly focus: string;
  readonly tone: Readonly<Record<Tone, string>>;
  readonly soft: Readonly<Record<Tone, string>>;
  readonly font: string;
}

/** Reads the custom properties, resolved for light or dark. */
export function paletteOf(element: HTMLElement): Palette {
  const probe = document.createElement('span');
  probe.hidden = true;
  element.append(probe);
  const colour = (name: string) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const perTone = (end: string) => {
    const tones = ['off', 'wait', 'run', 'ok', 'bad'] as const;
    return Object.fromEntries(tones.map((tone) => [tone, colour(tone + end)])) as Record<Tone, string>;
  };
  const palette: Palette = {
    raised: colour('raised'),
    sunken: colour('sunken'),
    line: colour('line'),
    lineStrong: colour('line-strong'),
    text: colour('text'),
    textSoft: colour('text-soft'),
    accent: colour('accent'),
    focus: colour('focus'),
    tone: perTone(''),
    soft: perTone('-soft'),
    font: getComputedStyle(element).fontFamily,
  };
  probe.remove();
  return palette;
}
