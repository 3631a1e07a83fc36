import { keepPreviousData, queryOptions, useMutation } from "@tanstack/react-query";
import { type ApiResponse, client, unwrap } from "../client";
import { Problem } from "../problem";
import { keys } from "./keys";
import { type Filter, type PageParams, type Query, queryOf, wordsOf } from "./paging";

export type AuditFilter = Filter<Query<"listAudit">>;

export const listAudit = (page: PageParams, filter: AuditFilter) =>
  queryOptions({
    queryKey: keys.audit(page, filter),
    queryFn: ({ signal }) =>
      unwrap(client.GET("/api/sync/audit", { params: { query: auditQuery(page, filter) }, signal })),
    placeholderData: keepPreviousData,
  });

/** The filters as the API takes them: actor and action may stand there several times. */
function auditQuery(page: PageParams | Record<string, never>, filter: AuditFilter) {
  const { actor, action, ...rest } = filter;
  return { ...queryOf(page, rest), ...wordsOf({ actor, action }) };
}

/** The last line of an export that is whole. */
const EXPORT_END = '{"complete":true}';

/** The audit log as a file of JSON lines. An export that ends early is an error. */
export const useExportAudit = () =>
  useMutation({
    mutationFn: async (filter: AuditFilter) => {
      const request = client.GET("/api/sync/audit/export", {
        params: { query: auditQuery({}, filter) },
        parseAs: "blob",
      });
      const file = (await unwrap(request as Promise<ApiResponse<unknown>>)) as Blob;
      const end = await file.slice(-2 * EXPORT_END.length).text();
      if (end.trimEnd().endsWith(EXPORT_END)) return file;
      throw new Problem({
        status: 0,
        title: "The export is incomplete",
        detail: "The connection ended before the last entry. Export again, or narrow the filters.",
        code: "export_incomplete",
      });
    },
  });

/** Verifies the chain of the log's entries. `expect`: its end as it was noted earlier. */
export const useVerifyAudit = () =>
  useMutation({
    mutationFn: (expect: string | undefined) =>
      unwrap(
        client.GET("/api/sync/audit/chain", {
          params: { query: expect === undefined ? {} : { expect } },
        }),
      ),
  });
