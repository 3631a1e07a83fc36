import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { client, unwrap } from "../client";
import { keys } from "./keys";

/** Shortest text that the service searches for. */
export const SEARCH_MIN_LENGTH = 2;

export const searchAll = (text: string) =>
  queryOptions({
    queryKey: keys.search(text),
    queryFn: ({ signal }) => unwrap(client.GET("/api/search", { params: { query: { q: text } }, signal })),
    enabled: text.length >= SEARCH_MIN_LENGTH,
    placeholderData: keepPreviousData,
  });
