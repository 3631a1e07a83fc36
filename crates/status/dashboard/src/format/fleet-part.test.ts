import { expect, test } from "vitest";
import type { VesselState } from "../api/types";
import { fleetPartStatus, fleetPartText } from "./fleet-part";

const vessel = (part: Partial<VesselState>): VesselState => ({
  sourceId: "v-1",
  standing: "active",
  rejected: 0,
  acknowledged: 0,
  warnings: 0,
  openConflicts: 0,
  deadLetters: 0,
  equipmentMissing: 0,
  ...part,
});
const status = (...data: VesselState[]) =>
  fleetPartStatus({ data, pagination: { limit: 200, offset: 0, total: data.length } });

test("a part of the fleet is named by its vessels and companies", () => {
  expect(fleetPartText({ vessels: ["9074729"], companies: ["c-1", "c-2"] })).toBe(
    "vessel 9074729 and companies c-1, c-2",
  );
  expect(fleetPartText({ vessels: ["1", "2", "3", "4", "5", "6"], companies: [] })).toBe(
    "vessels 1, 2, 3, 4, 5, 1 more",
  );
  expect(fleetPartText({ vessels: [], companies: [] })).toBe("no vessel");
});

test("what waits on any vessel is not green, and a dead letter is worst", () => {
  expect(status(vessel({}), vessel({})).headline).toBe("Nothing needs attention on 2 vessels");
  expect(status(vessel({})).tone).toBe("good");
  expect(status(vessel({ rejected: 1 }), vessel({ rejected: 2, openConflicts: 1 }))).toMatchObject({
    tone: "warn",
    headline: "Out of sync: 3 rejected records, 1 open conflict",
  });
  expect(status(vessel({ deadLetters: 1, rejected: 1 })).tone).toBe("bad");
});

test("a part of the fleet without vessels is not green", () => {
  expect(status().tone).toBe("neutral");
});
