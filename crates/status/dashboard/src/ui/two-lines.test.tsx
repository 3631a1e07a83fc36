import { expect, test } from "vitest";
import { renderUi } from "./test-render";
import { TwoLines } from "./two-lines";

test("the second line is optional", async () => {
  const { container, unmount } = await renderUi(<TwoLines second="sync.tasks">SyncTask</TwoLines>);
  expect(container.textContent).toBe("SyncTasksync.tasks");
  unmount();
  const { container: single } = await renderUi(<TwoLines>SyncTask</TwoLines>);
  expect(single.querySelectorAll("span span")).toHaveLength(0);
});
