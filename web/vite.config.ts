import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

/** The page: `npm run build` makes `dist/web` of it, which the API serves below `/ui`. */
export default defineConfig({
  base: '/ui/',
  plugins: [compressed()],
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    target: 'es2023',
    // The list of chunks: the API and the test of sizes read it.
    manifest: 'manifest.json',
    modulePreload: { polyfill: false },
    // The security policy of the page allows no data addresses for scripts and fonts.
    assetsInlineLimit: 0,
    // The 3D viewer, which only those load who look at a model.
    chunkSizeWarningLimit: 800,
  },
  worker: { format: 'es' },
  // `npx vite web` beside a running system: changes are seen at once. Sign in works since the address is the same host.
  server: {
    proxy: {
      '^/(jobs|graphs|workflows|queues|workers|processes|scripts|summary|readyz|docs|ui/(login|logout|session))':
        'http://127.0.0.1:8001',
    },
  },
});

/** Text is sent compressed, and compressed once: here. */
function compressed(): Plugin {
  let folder = '';
  return {
    name: 'compressed',
    apply: 'build',
    configResolved: (config) => {
      folder = join(config.root, config.build.outDir);
      if (config.build.outDir.startsWith('/')) folder = config.build.outDir;
    },
    closeBundle: () => {
      for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
        if (!entry.isFile() || !/\.(js|css|svg)$/.test(entry.name)) continue;
        const path = join(entry.parentPath, entry.name);
        const content = readFileSync(path);
        if (content.length < 1024) continue;
        writeFileSync(`${path}.br`, brotliCompressSync(content));
        writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
      }
    },
  };
}
