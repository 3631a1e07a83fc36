// Fields of records as people read them: their names, units and values.
import { capitalize } from "./capitalize";
import { formatCount } from "./numbers";

interface FieldWords {
  label: string;
  unit?: string;
  /** A number that is a name, such as a year. */
  isName?: boolean;
}

/** Names that do not follow from the field's own, in the order in which a page shows them. */
const FIELDS: Record<string, FieldWords> = {
  name: { label: "Name" },
  email: { label: "Email" },
  givenName: { label: "Given name" },
  familyName: { label: "Family name" },
  employeeNumber: { label: "Employee number", isName: true },
  imoNumber: { label: "IMO number", isName: true },
  imoCompanyNumber: { label: "IMO company number", isName: true },
  mmsi: { label: "MMSI", isName: true },
  callSign: { label: "Call sign" },
  flag: { label: "Flag" },
  portOfRegistry: { label: "Port of registry" },
  vesselType: { label: "Vessel type" },
  serviceStatus: { label: "Service status" },
  classSociety: { label: "Class society" },
  buildYear: { label: "Year of build", isName: true },
  shipyard: { label: "Shipyard" },
  hullNumber: { label: "Hull number" },
  grossTonnage: { label: "Gross tonnage" },
  netTonnage: { label: "Net tonnage" },
  deadweight: { label: "Deadweight", unit: "t" },
  lengthOverallM: { label: "Length overall", unit: "m" },
  beamM: { label: "Beam", unit: "m" },
  draughtM: { label: "Draught", unit: "m" },
  mainEngine: { label: "Main engine" },
  code: { label: "SFI code" },
  unitNumber: { label: "Unit", isName: true },
  isCritical: { label: "Critical" },
  criticalityBasis: { label: "Why it is critical" },
  isStandby: { label: "Stand-by" },
  standbyTestIntervalDays: { label: "Stand-by test every", unit: "days" },
  redundancyGroup: { label: "Redundancy group" },
  location: { label: "Location" },
  maker: { label: "Maker" },
  model: { label: "Model" },
  serialNumber: { label: "Serial number" },
  installedOn: { label: "Installed" },
  warrantyUntil: { label: "Warranty until" },
  runningHours: { label: "Running hours", unit: "h" },
  qrCode: { label: "QR code" },
  qrLabelState: { label: "Label" },
  rank: { label: "Rank" },
  department: { label: "Department" },
  workplace: { label: "Workplace" },
  role: { label: "Role" },
  roleMappingVersion: { label: "Version of the role mapping", isName: true },
  signOn: { label: "Signed on" },
  signOff: { label: "Signed off" },
  vesselScope: { label: "Vessels" },
  country: { label: "Country" },
  withdrawalDueAt: { label: "Withdrawal announced for" },
};
const ORDER = Object.keys(FIELDS);

/** Words of the API, such as `bulk_carrier`, whose underscores are spaces to people. */
const WORD_FIELDS = new Set([
  "vesselType",
  "serviceStatus",
  "criticalityBasis",
  "qrLabelState",
  "rank",
  "department",
  "workplace",
  "role",
]);

/** `lengthOverallM`, `length_overall_m` and `/lengthOverallM` → `lengthOverallM` */
const fieldKey = (name: string): string =>
  name.replace(/^\//, "").replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** `runningHours`, `running_hours` → `Running hours`; `/criticalParts/p-1/stock` → `Critical parts, p-1, stock` */
export function fieldLabel(name: string): string {
  const key = fieldKey(name);
  if (Object.hasOwn(FIELDS, key)) return FIELDS[key]?.label ?? key;
  const [first = "", ...others] = key.split("/");
  return capitalize([spaced(first), ...others].join(", "));
}

const spaced = (key: string): string => key.replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase();

/** Fields in the order in which people look for them; unknown ones come last. */
export const orderedFields = <Value>(fields: Record<string, Value>): [name: string, value: Value][] =>
  Object.entries(fields).sort(([a], [b]) => placeOf(a) - placeOf(b));

const placeOf = (name: string): number => {
  const place = ORDER.indexOf(fieldKey(name));
  return place < 0 ? ORDER.length : place;
};

/** A value for people; null if there is none. */
export function fieldValue(name: string, value: unknown): string | null {
  if (value === null || value === undefined || value === "") return null;
  const key = fieldKey(name);
  const { unit, isName = false } = FIELDS[key] ?? {};
  const withUnit = (text: string) => (unit ? `${text} ${unit}` : text);
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return isName ? String(value) : withUnit(formatNumber(value));
  if (typeof value === "string") {
    return WORD_FIELDS.has(key) ? capitalize(value.replaceAll("_", " ")) : withUnit(value);
  }
  return JSON.stringify(value);
}

const formatNumber = (value: number): string =>
  Number.isInteger(value) ? formatCount(value) : String(value);
