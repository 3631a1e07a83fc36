import { expect, test } from "vitest";
import { withExactNumbers } from "./exact-numbers";

test("numbers that JavaScript would round become texts of their digits", () => {
  const json = '{"serial":12345678901234567890123,"list":[-0.10000000000000000001,1e400],"power":9480.5}';
  expect(JSON.parse(withExactNumbers(json))).toEqual({
    serial: "12345678901234567890123",
    list: ["-0.10000000000000000001", "1e400"],
    power: 9480.5,
  });
});

test("digits within texts and numbers that fit stay as they are", () => {
  const json =
    '{"a\\"12345678901234567890":"\\\\","b":"say \\"12345678901234567890\\"","c":0.001,"d":123456789012345}';
  expect(withExactNumbers(json)).toBe(json);
});
