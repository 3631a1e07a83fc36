import { defineConfig } from "@playwright/test";
import base from "./playwright.config";

// Screenshots of every page against the real services: `npm run shots`.
export default defineConfig({
  ...base,
  testMatch: "shots.ts",
  outputDir: "test-results/shots-run",
  timeout: 1_800_000,
  use: { ...base.use, contextOptions: { reducedMotion: "reduce" }, trace: "off" },
});
