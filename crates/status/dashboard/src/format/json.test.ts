import { expect, test } from "vitest";
import { prettyJson } from "./json";

test("numbers keep the digits they were sent with", () => {
  const text = '{"serial":12345678901234567890123,"list":[1.50,1e3]}';
  expect(prettyJson(text)).toBe(
    '{\n  "serial": 12345678901234567890123,\n  "list": [\n    1.50,\n    1e3\n  ]\n}',
  );
});

test("JSON is indented as the platform does it", () => {
  for (const value of [
    {},
    [],
    { a: {}, b: [], c: [[], {}], d: [{ "e:,{": 'x"]\\', f: null }], "": true },
    ["", " \n", -1],
    "text",
    7,
    null,
  ]) {
    expect(prettyJson(JSON.stringify(value))).toBe(JSON.stringify(value, null, 2));
    expect(prettyJson(JSON.stringify(value, null, "\t"))).toBe(JSON.stringify(value, null, 2));
  }
});

test("text that is no JSON stays as it is", () => {
  for (const text of ["", "{", "not json", '{"a":}']) expect(prettyJson(text)).toBe(text);
});
