import { screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { setConnection } from "../api/live";
import type { Status } from "../format/status";
import { StatusBanner } from "./status-banner";
import { renderUi } from "./test-render";

afterEach(() => setConnection({ state: "connecting" }));

const status: Status = {
  tone: "good",
  headline: "In sync: 41 vessels",
  detail: "All records are accounted for.",
  figure: { value: "6,041", unit: "active records" },
};

test("a banner shows headline, detail and figure in the tone of its status", async () => {
  await renderUi(<StatusBanner status={status}>Last full sync 3 min ago.</StatusBanner>);
  const banner = screen.getByRole("region", { name: "Status" });
  expect(banner.dataset.tone).toBe("good");
  for (const part of ["In sync: 41 vessels", "Last full sync 3 min ago.", "6,041", "active records"]) {
    expect(banner.textContent).toContain(part);
  }
});

test("a given figure replaces the status's own", async () => {
  await renderUi(<StatusBanner status={status} figure={{ value: <b>2 min</b>, unit: "so far" }} />);
  const { textContent } = screen.getByRole("region", { name: "Status" });
  expect(textContent).toContain("2 minso far");
  expect(textContent).not.toContain("6,041");
});

test("a good status is not green while the connection is lost, and says of when it is", async () => {
  const since = Date.now() - 60_000;
  setConnection({ state: "reconnecting", since, retryAt: Date.now() });
  const { unmount } = await renderUi(<StatusBanner status={status} />);
  const banner = screen.getByRole("region", { name: "Status" });
  expect(banner.dataset.tone).toBe("neutral");
  expect(banner.textContent).toMatch(/As of .*: the live connection is lost\./);
  unmount();
  setConnection({ state: "closed" });
  await renderUi(<StatusBanner status={{ ...status, tone: "bad" }} />);
  expect(screen.getByRole("region", { name: "Status" }).dataset.tone).toBe("bad");
});

test("a status that is not known yet is no region that says something", async () => {
  await renderUi(<StatusBanner status={undefined} />);
  expect(screen.queryByRole("region", { name: "Status" })).toBeNull();
});
