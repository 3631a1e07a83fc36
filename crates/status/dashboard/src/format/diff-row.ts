/** A value before a change and after it, in words; null: there is none. */
export interface DiffRow {
  name: string;
  before: string | null;
  after: string | null;
}
