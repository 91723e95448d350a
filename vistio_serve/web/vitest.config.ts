import { defineConfig } from "vitest/config";

// Apart from vite.config.ts, because a build installs no test tools.
export default defineConfig({
  // The colours are tested as the style sheet has them; without this it would be empty. Files that need a
  // document say so in their first line: making one takes longer than most tests.
  test: { include: ["test/**/*.test.ts"], setupFiles: "test/no-network.ts", css: { include: /tokens/ } },
});
