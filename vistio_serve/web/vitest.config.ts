import { defineConfig } from "vitest/config";

// Apart from vite.config.ts, because a build installs no test tools.
export default defineConfig({
  test: { environment: "happy-dom", include: ["test/**/*.test.ts"] },
});
