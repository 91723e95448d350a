import { defineConfig } from "vite";
import { licences } from "./licences.ts";

const { looks, writes } = licences(import.meta.dirname);

// Relative addresses everywhere: the page must work under any path prefix, chosen at run time.
export default defineConfig({
  base: "./",
  plugins: [looks(), writes()],
  worker: { plugins: () => [looks()] },
  build: {
    rollupOptions: {
      // The page, and the module that shows it in a notebook: `vistio_serve.notebook` looks for it by this name.
      input: { index: "index.html", widget: "src/widget.ts" },
      // What is loaded later takes the page's own parts from the page itself, which so stays one file: a notebook has no other.
      preserveEntrySignatures: "allow-extension",
      output: { entryFileNames: (chunk) => (chunk.name === "widget" ? "widget.js" : "assets/[name]-[hash].js") },
    },
    outDir: "../static/ui",
    emptyOutDir: true,
    target: "es2022",
    // What is loaded later is imported by its name alone, which `vistio_serve.notebook` finds there; only the document loads ahead.
    modulePreload: { resolveDependencies: (_file, needed, { hostType }) => (hostType === "html" ? needed : []) },
    // The policy of the page allows no data: scripts or styles, and a file caches better.
    assetsInlineLimit: 0,
    // Vizceral with three.js inside is most of it, and cannot be split.
    chunkSizeWarningLimit: 1200,
  },
  server: {
    // `npm run dev` beside `vistio-serve demo`: the answers come from there.
    proxy: Object.fromEntries(
      ["graph", "instants", "timeline", "annotations", "frames", "diff", "incidents", "heat", "config"].map((route) => [
        `/${route}`,
        "http://127.0.0.1:9091",
      ]),
    ),
  },
});
