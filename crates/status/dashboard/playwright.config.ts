import { defineConfig } from "@playwright/test";

// Chromium against the real services, which e2e/system.ts starts. One worker, because tests build on the state that
// earlier ones leave.
export default defineConfig({
  testDir: "e2e",
  globalSetup: "./e2e/system.ts",
  outputDir: "test-results",
  workers: 1,
  // Of what is said of an empty system before all tests that fill it.
  projects: [
    { name: "empty", testMatch: "empty.spec.ts" },
    { name: "filled", testIgnore: "empty.spec.ts", dependencies: ["empty"] },
  ],
  // Upper bounds for a busy machine; tests wait for events, not for these.
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
