/** Icons of one line width, drawn for this page. They say nothing to a screen reader: words beside them do. */
const shapes = {
  jobs: 'M4 6h16M4 12h16M4 18h10',
  graphs: 'M9 12h3m2.6-5L12 12l2.6 5M4 9.5h5v5H4zM15 4.500h5v5h-5zM15 14.500h5v5h-5z',
  submit: 'M12 16V4m0 0L7 9m5-5 5 5M4 15v4a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1v-4',
  workers: 'M4 5h16v5H4zM4 14h16v5H4zM7.500 7.500h.01M7.500 16.500h.01',
  workflows: 'M4 5h6v5H4zM14 14h6v5h-6zM7 10v6.500h7',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2m0 16v2M4.900 4.900l1.500 1.500m11.200 11.200 1.500 1.500M2 12h2m16 0h2M4.900 19.100l1.500-1.500M17.600 6.400l1.500-1.500',
  moon: 'M20 14.500A8 8 0 0 1 9.500 4a8 8 0 1 0 10.500 10.500z',
  system: 'M3 5h18v11H3zM8 20h8m-4-4v4',
  exit: 'M14 4h5a1 1 0 0 1 1 1v14a1 1 0 0 1-1 1h-5M10 8l-4 4 4 4m-4-4h10',
  external: 'M14 4h6v6m0-6-9 9M10 6H5a1 1 0 0 0-1 1v12a1 1 0 0 0 1 1h12a1 1 0 0 0 1-1v-5',
  download: 'M12 4v12m0 0 5-5m-5 5-5-5M4 20h16',
  retry: 'M4 12a8 8 0 0 1 14-5.300L20 9m0-5v5h-5M20 12a8 8 0 0 1-14 5.300L4 15m0 5v-5h5',
  cancel: 'M6 6l12 12M18 6 6 18',
  pause: 'M8 5v14M16 5v14',
  play: 'M7 5l12 7-12 7z',
  drain: 'M4 5h16l-6 8v6l-4 2v-8z',
  search: 'M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zm5 12 5 5',
  check: 'M4 12.500l5 5L20 6.500',
  clock: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zm0 4v5l3.500 2',
  dots: 'M5 12h.01M12 12h.01M19 12h.01',
  bolt: 'M13 3 5 14h6l-1 7 8-11h-6z',
  stop: 'M6 6h12v12H6z',
  skip: 'M5 6l8 6-8 6zM18 6v12',
  question: 'M9 9a3 3 0 1 1 4.500 2.600c-1 .6-1.500 1.200-1.500 2.400M12 17.500h.01',
  trash: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13',
  file: 'M6 3h8l5 5v13H6zM14 3v5h5',
  chevron: 'M9 5l7 7-7 7',
  plus: 'M12 5v14M5 12h14',
} as const;

export type IconName = keyof typeof shapes;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={shapes[name]} />
    </svg>
  );
}
