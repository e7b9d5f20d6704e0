import { layOut } from './lay-out.js';
import type { LayoutInput } from './layout.js';

/** Lays out beside the page, which goes on moving meanwhile. */
self.onmessage = async ({ data: { id, input } }: MessageEvent<{ id: number; input: LayoutInput }>) => {
  self.postMessage({ id, layout: await layOut(input) });
};
