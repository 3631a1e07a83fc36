import { screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import type { DeadLetter } from "../../api/types";
import { renderUi } from "../../ui/test-render";
import { RecordOfLetter } from "./dead-letters";

afterEach(() => vi.unstubAllGlobals());

const letter = (part: Partial<DeadLetter>) => part as DeadLetter;

test("a dead letter names its record and leads to it", async () => {
  const record = { recordType: "vessel", sourceId: "v-1", name: "Orion (IMO 9074729)" };
  vi.stubGlobal("fetch", async () => Response.json(record));
  await renderUi(<RecordOfLetter letter={letter({ recordType: "vessel", sourceId: "v-1" })} />);
  const link = await screen.findByRole("link", { name: /^Orion · IMO/ });
  expect(link.getAttribute("href")).toBe("/records/vessel/v-1");
});

test("of a page of a list only the type is known, and of other messages nothing", async () => {
  const { container, rerender } = await renderUi(<RecordOfLetter letter={letter({ recordType: "user" })} />);
  expect(container.textContent).toBe("a page of users");
  rerender(<RecordOfLetter letter={letter({})} />);
  expect(container.textContent).toBe("none");
  expect(screen.queryByRole("link")).toBeNull();
});
