// Parameters that the lists of the operator API share.
import type { operations } from "../types";

export interface PageParams {
  limit: number;
  offset: number;
}

export type Query<Operation extends keyof operations> = NonNullable<
  operations[Operation]["parameters"]["query"]
>;

/** The filters of a list, as in the URL of its page; a field that is absent or undefined does not filter. */
export type Filter<T> = {
  [Field in keyof Omit<T, "limit" | "offset">]?: OneOf<Exclude<T[Field], undefined>> | undefined;
};

/** A parameter that may be given several times takes one value from a page. */
type OneOf<V> = V extends readonly (infer Word)[] ? Word : V;

/** The filter for a request. Undefined fields are left out of its address. */
export const queryOf = <P extends object, T extends object>(page: P, filter: T) =>
  ({ ...page, ...filter }) as P & { [Field in keyof T]?: Exclude<T[Field], undefined> };

/** Words for parameters that may be given several times. */
export const wordsOf = <T extends object>(words: T) =>
  Object.fromEntries(
    Object.entries(words).flatMap(([name, word]) => (word === undefined ? [] : [[name, [word]]])),
  ) as { [Field in keyof T]?: Exclude<T[Field], undefined>[] };

/** Entries that one request of a list may have. */
export const LIST_LIMIT = 200;
