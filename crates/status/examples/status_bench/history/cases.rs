//! What is asked: paths of the API, each beside the query that its index answers.

use anyhow::Context;
use serde_json::Value;
use tokio_postgres::Client;

use super::requests::Connection;

/// Places in the history that cursors lead to.
const PLACES: usize = 20;

/// A kind of request.
pub(super) struct Case {
    pub(super) name: &'static str,
    /// Path and query with `{1}`, `{2}` … for values.
    path: &'static str,
    /// The query of the index, with the same values as text: `$1`, `$2` …
    pub(super) sql: &'static str,
    /// The query that counts the entries of the list, where its answer says how many there are.
    pub(super) count: Option<&'static str>,
    /// The values, which requests take in turn. The first ones are of the query; a path may have more.
    values: Vec<Vec<String>>,
    /// How many of the values are the query's.
    parameters: usize,
    /// The route may come with a later version.
    pub(super) may_be_missing: bool,
}

impl Case {
    fn new(name: &'static str, path: &'static str, sql: &'static str) -> Self {
        Self { name, path, sql, count: None, values: vec![Vec::new()], parameters: 0, may_be_missing: false }
    }

    fn counting(self, count: &'static str) -> Self {
        Self { count: Some(count), ..self }
    }

    fn with(self, parameters: usize, values: Vec<Vec<String>>) -> Self {
        Self { values, parameters, ..self }
    }

    pub(super) fn path(&self, number: usize) -> String {
        let values = &self.values[number % self.values.len()];
        let named = values.iter().enumerate().map(|(place, value)| (format!("{{{}}}", place + 1), value));
        named.fold(self.path.to_owned(), |path, (name, value)| path.replace(&name, value))
    }

    pub(super) fn values(&self, number: usize) -> Vec<String> {
        self.values[number % self.values.len()][..self.parameters].to_vec()
    }
}

/// A page of syncs with their tallies.
macro_rules! syncs {
    ($condition:literal) => {
        concat!(
            "SELECT s.*, (SELECT jsonb_agg(c) FROM sync_counts c WHERE c.sync_id = s.id) FROM sync_logs s ",
            $condition,
            " ORDER BY started_at DESC, id DESC LIMIT 21"
        )
    };
}

/// What happened to a record: branches, each with its index.
const TIMELINE: &str = "WITH record AS (SELECT id FROM equipment WHERE source_id = $1)
    SELECT * FROM (
        (SELECT received_at AS at, 'received' AS kind, id::text, to_jsonb(event_type) AS detail FROM webhook_events
         WHERE record_type = 'equipment' AND source_id = $1 ORDER BY received_at DESC, id DESC LIMIT 21)
        UNION ALL
        (SELECT processed_at, 'processed', id::text, to_jsonb(event_type) FROM webhook_events
         WHERE record_type = 'equipment' AND source_id = $1 AND processed_at IS NOT NULL
         ORDER BY processed_at DESC, id DESC LIMIT 21)
        UNION ALL
        (SELECT written_at, 'updated', sync_id::text, image FROM overwritten WHERE row_id = (SELECT id FROM record)
         ORDER BY id DESC LIMIT 21)
        UNION ALL
        (SELECT found_at, 'finding', sync_id::text, to_jsonb(message) FROM findings
         WHERE record_type = 'equipment' AND source_id = $1 ORDER BY id DESC LIMIT 21)
        UNION ALL
        (SELECT opened_at, 'conflict', id::text, local_value FROM conflicts
         WHERE record_type = 'equipment' AND source_id = $1 ORDER BY opened_at DESC LIMIT 21)
    ) AS w ORDER BY at DESC LIMIT 21";

/// Counts of windows, as their primary key has them.
macro_rules! analytics {
    ($width:literal, $vessel:literal, $from:literal) => {
        concat!(
            "SELECT starts_at, measure, record_type, key, bucket, count FROM analytics WHERE width = '",
            $width,
            "' AND vessel_id = ",
            $vessel,
            " AND measure = ANY('{syncs,sync_seconds,records,lag_seconds,findings,attempts}') AND starts_at >= now() - interval '",
            $from,
            "' ORDER BY starts_at, measure, record_type, key, bucket"
        )
    };
}

pub(super) async fn all(
    bare: &Client,
    api: &mut Connection,
    syncs: usize,
    records: usize,
) -> anyhow::Result<Vec<Case>> {
    let numbers = |below: usize| (0..50_usize).map(move |n| n * 7_919 % below);
    let equipment =
        numbers(records * 9 / 10).filter(|n| n % 10 != 0).map(|n| vec![format!("e-{n}")]).collect();
    let syncs_found = texts(bare, "SELECT id::text FROM sync_logs ORDER BY id LIMIT 50 OFFSET 4711").await?;
    let traces = texts(
        bare,
        "SELECT split_part(trace_context ->> 'traceparent', '-', 2) FROM sync_logs ORDER BY id LIMIT 50 OFFSET 4711",
    );
    // Half days all over the time of the syncs, of which there is one a minute.
    let half_days = format!(
        "SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')
         FROM generate_series(1, 50) n, (VALUES (0), (12)) AS hours (h),
             LATERAL (SELECT now() - n * {} * interval '1 minute' + h * interval '1 hour' AS at) AS times ORDER BY n, h",
        syncs / 52
    );
    let times = texts(bare, &half_days).await?.concat();
    let half_days = times.chunks(2).map(<[String]>::to_vec).collect();
    Ok(vec![
        Case::new("http.floor", "/api/sync/settings", "SELECT * FROM settings"),
        Case::new("history.first", "/api/sync/history?limit=20", syncs!(""))
            .counting("SELECT count(*) FROM sync_logs"),
        Case::new(
            "history.filter",
            "/api/sync/history?limit=20&state=failed&cause=webhook",
            syncs!("WHERE state = 'failed' AND cause = 'webhook'"),
        )
        .counting("SELECT count(*) FROM sync_logs WHERE state = 'failed' AND cause = 'webhook'"),
        Case::new(
            "history.range",
            "/api/sync/history?limit=20&from={1}&to={2}",
            syncs!("WHERE started_at >= $1::text::timestamptz AND started_at < $2::text::timestamptz"),
        )
        .with(2, half_days),
        Case::new(
            "history.cursor",
            "/api/sync/history?limit=20&cursor={3}",
            syncs!("WHERE (started_at, id) < ($1::text::timestamptz, $2::text::uuid)"),
        )
        .with(2, cursors(api, syncs).await?),
        Case::new(
            "webhooks.first",
            "/api/sync/webhooks?limit=20",
            "SELECT * FROM webhook_events ORDER BY received_at DESC, id DESC LIMIT 21",
        )
        .counting("SELECT count(*) FROM webhook_events"),
        Case::new(
            "webhooks.record",
            "/api/sync/webhooks?limit=20&recordType=equipment&sourceId={1}",
            "SELECT * FROM webhook_events WHERE record_type = 'equipment' AND source_id = $1
             ORDER BY received_at DESC, id DESC LIMIT 21",
        )
        .with(1, equipment),
        Case::new(
            "search.name",
            "/api/search?q={1}",
            "(SELECT 'company', source_id, name FROM companies WHERE name ILIKE '%' || $1 || '%' LIMIT 11) UNION ALL
             (SELECT 'vessel', source_id, name FROM vessels WHERE name ILIKE '%' || $1 || '%' LIMIT 11) UNION ALL
             (SELECT 'equipment', source_id, name FROM equipment WHERE name ILIKE '%' || $1 || '%' LIMIT 11)",
        )
        .with(1, numbers(20).map(|n| vec![WORDS[n % WORDS.len()].to_owned()]).collect()),
        Case::new(
            "search.imo",
            "/api/search?q={1}",
            "SELECT source_id, name FROM vessels WHERE imo_number ~>=~ $1 AND imo_number ~<~ ($1 || '~') LIMIT 11",
        )
        .with(1, numbers(records / 100).map(|n| vec![(9_000_000 + n).to_string()]).collect()),
        Case::new(
            "search.sync",
            "/api/search?q={1}",
            "SELECT id, mode, cause, state FROM sync_logs WHERE id = $1::text::uuid",
        )
        .with(1, syncs_found),
        Case::new(
            "search.trace",
            "/api/search?q={1}",
            "(SELECT id::text, mode FROM sync_logs t WHERE (t.trace_context ->> 'traceparent') IS NOT NULL
                  AND split_part(t.trace_context ->> 'traceparent', '-', 2) = $1) UNION ALL
             (SELECT id::text, event_type FROM webhook_events t WHERE (t.trace_context ->> 'traceparent') IS NOT NULL
                  AND split_part(t.trace_context ->> 'traceparent', '-', 2) = $1)",
        )
        .with(1, traces.await?),
        Case::new("timeline", "/api/sync/records/equipment/{1}/timeline?limit=20", TIMELINE).with(
            1,
            numbers(records * 9 / 10).filter(|n| n % 10 != 0).map(|n| vec![format!("e-{n}")]).collect(),
        ),
        Case::new("analytics.hours", "/api/sync/analytics", analytics!("hour", "''", "24 hours")),
        Case::new("analytics.days", "/api/sync/analytics?window=day", analytics!("day", "''", "30 days")),
        Case::new(
            "analytics.years",
            "/api/sync/analytics?window=day&from={1}",
            analytics!("day", "''", "700 days"),
        )
        .with(0, texts(bare, "SELECT to_char(now() - interval '700 days', 'YYYY-MM-DD') || 'T00:00:00Z'").await?),
        Case::new(
            "analytics.vessel",
            "/api/sync/analytics?window=day&vessel={1}",
            analytics!("day", "$1", "30 days"),
        )
        .with(1, numbers(records / 100).map(|n| vec![format!("v-{n}")]).collect()),
        Case::new(
            "records.vessels",
            "/api/sync/records/vessel?limit=20",
            "SELECT * FROM vessels ORDER BY source_id USING ~<~ LIMIT 21",
        )
        .counting("SELECT count(*) FROM vessels"),
        Case::new(
            "records.equipment",
            "/api/sync/records/equipment?limit=20",
            "SELECT * FROM equipment ORDER BY source_id USING ~<~ LIMIT 21",
        )
        .counting("SELECT count(*) FROM equipment"),
        Case {
            may_be_missing: true,
            ..Case::new(
                "vessels.list",
                "/api/sync/vessels?limit=20",
                "SELECT v.*, coalesce(f.findings, 0) AS findings FROM vessels v
                 LEFT JOIN (SELECT vessel_ids[1] AS vessel, count(*) AS findings FROM record_findings WHERE severity = 'error'
                            GROUP BY 1) AS f ON f.vessel = v.source_id
                 ORDER BY findings DESC, v.source_id LIMIT 21",
            )
        },
    ])
}

/// The words of `fill.sql` that names are made of.
const WORDS: [&str; 4] = ["Aurora", "Kestrel", "Orion", "Triton"];

/// The rows of a query that returns one text each.
async fn texts(bare: &Client, sql: &str) -> anyhow::Result<Vec<Vec<String>>> {
    let rows = bare.query(sql, &[]).await.with_context(|| sql.to_owned())?;
    rows.iter().map(|row| Ok(vec![row.try_get(0)?])).collect()
}

/// Places deep in the history: start and id of a sync, and the cursor that leads on from it.
async fn cursors(api: &mut Connection, syncs: usize) -> anyhow::Result<Vec<Vec<String>>> {
    let mut places = Vec::with_capacity(PLACES);
    for place in 1..=PLACES {
        let offset = syncs / (PLACES + 1) * place;
        api.renew().await?;
        let (status, answer) = api.get(&format!("/api/sync/history?limit=1&offset={offset}")).await?;
        anyhow::ensure!(status == 200, "{status}: {answer}");
        let page: Value = serde_json::from_str(answer)?;
        let text = |value: &Value| value.as_str().map(str::to_owned).with_context(|| page.to_string());
        let sync = &page["data"][0];
        let cursor = text(&page["pagination"]["nextCursor"])?;
        places.push(vec![text(&sync["startedAt"])?, text(&sync["syncId"])?, cursor]);
    }
    Ok(places)
}
