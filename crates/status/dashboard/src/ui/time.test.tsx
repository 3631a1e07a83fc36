import { screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { renderUi } from "./test-render";
import { Elapsed, Time } from "./time";

test("a time is relative, with the exact time on hover", async () => {
  const iso = new Date(Date.now() - 3 * 60_000).toISOString();
  await renderUi(<Time iso={iso} />);
  const time = screen.getByText("3 min ago").closest("time");
  expect(time?.dateTime).toBe(iso);
  expect(time?.title).toMatch(/UTC$/);
});

test("a full time has its date and time before it", async () => {
  await renderUi(<Time iso="2020-11-24T04:05:06Z" full />);
  expect(screen.getByText("24 Nov 2020 04:05:06")).toBeDefined();
});

test("an ended duration does not grow", async () => {
  vi.useFakeTimers();
  await renderUi(<Elapsed since="2026-11-24T05:00:00Z" until="2026-11-24T05:02:14Z" />);
  vi.advanceTimersByTime(5000);
  expect(screen.getByTitle("134,000 ms").textContent).toBe("2 min 14 s");
  vi.useRealTimers();
});
