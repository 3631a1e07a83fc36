import { defineConfig } from "@playwright/test";

// Real Chromium against the real services, which e2e/system.ts starts. One story, one worker: its chapters build on
// each other as an operator's day does.
export default defineConfig({
  testDir: "e2e",
  globalSetup: "./e2e/system.ts",
  outputDir: "test-results",
  workers: 1,
  // Bounds for a machine that does other work besides; what is waited for is an event, not these.
  timeout: 180_000,
  expect: { timeout: 30_000 },
  reporter: [["list"]],
  use: {
    viewport: { width: 1280, height: 860 },
    trace: "retain-on-failure",
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
    },
  },
});
