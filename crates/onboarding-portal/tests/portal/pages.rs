//! The lists and the export of the provider API.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chassis::config::Environment;
use chrono::{DateTime, Utc};
use onboarding_portal::fleet::{Detail, Fleet, Size};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::rig::{PATIENCE, Rig, answer, company, equipment, user, vessel};

async fn with_fleet(equipment: u32) -> anyhow::Result<Rig> {
    let rig = Rig::start().await?;
    let fleet = Fleet::of_size(Size { vessels: 3, equipment, users: 20 }, Detail::Plain);
    rig.seed(&fleet).await?;
    Ok(rig)
}

/// Every (id, version) of a list, page by page; `meanwhile` is called after each page.
async fn paged(
    rig: &Rig,
    list: &str,
    limit: u32,
    mut meanwhile: impl AsyncFnMut(&Value) -> anyhow::Result<()>,
) -> anyhow::Result<Vec<(String, DateTime<Utc>)>> {
    let (mut seen, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let at = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let page = rig.get(&format!("{list}?limit={limit}{at}")).await?;
        for record in page["data"].as_array().context("a page has data")? {
            let text = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
            seen.push((text("id"), text("updatedAt").parse()?));
        }
        meanwhile(&page).await?;
        match page["page"]["nextCursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return Ok(seen),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_record_is_on_one_page_and_the_first_page_has_the_total() -> anyhow::Result<()> {
    let rig = with_fleet(230).await?;
    let mut totals = Vec::new();
    let seen = paged(&rig, "/api/sync/equipment", 50, async |page: &Value| {
        totals.push(page["page"]["total"].as_u64());
        Ok(())
    })
    .await?;
    assert_eq!(totals, [Some(230), None, None, None, None]);
    assert_eq!(seen.iter().map(|(id, _)| id).collect::<BTreeSet<_>>().len(), 230);
    assert_eq!(seen.len(), 230);
    assert!(seen.is_sorted_by_key(|(id, version)| (*version, id.clone())), "by version and id");

    let page = rig.get("/api/sync/equipment?limit=50").await?;
    let next = page["page"]["nextCursor"].as_str().context("there are more")?.to_owned();
    let second = rig.get(&format!("/api/sync/equipment?limit=50&include=total&cursor={next}")).await?;
    assert_eq!(second["page"]["total"], 230);
    assert_eq!(rig.get("/api/sync/vessels").await?["page"]["totalCompanies"], 3);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn slices_share_a_list_out_from_any_page_on() -> anyhow::Result<()> {
    let rig = with_fleet(230).await?;
    let all: BTreeSet<String> = rig.listed("/api/sync/equipment?limit=1000").await?.into_iter().collect();
    let first = rig.get("/api/sync/equipment?limit=30").await?;
    let ids = |page: &Value| -> Vec<String> {
        page["data"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|it| it["id"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    for count in [1, 4, 64] {
        let (mut seen, mut total) = (ids(&first), 0);
        for slice in (0..count).map(|index| format!("{index}/{count}")) {
            let whole = rig.get(&format!("/api/sync/equipment?limit=1&slice={slice}")).await?;
            total += whole["page"]["total"].as_u64().unwrap_or_default();
            let mut cursor = first["page"]["nextCursor"].clone();
            while let Some(at) = cursor.as_str() {
                let page = rig.get(&format!("/api/sync/equipment?limit=7&slice={slice}&cursor={at}")).await?;
                assert_eq!(page["page"]["slice"], slice.as_str());
                seen.extend(ids(&page));
                cursor = page["page"]["nextCursor"].clone();
            }
        }
        assert_eq!((seen.len(), total), (230, 230), "each once, of {count}");
        assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), all, "{count}");
    }
    assert_eq!(rig.get("/api/sync/capabilities").await?["slices"], 64);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn record_changed_between_pages_comes_again_and_none_is_missed() -> anyhow::Result<()> {
    let rig = with_fleet(120).await?;
    let all = rig.listed("/api/sync/equipment?limit=1000").await?;
    // Changes after each page: a record that was read, one on a later page, and one that was changed before.
    let mut page = 0;
    let seen = paged(&rig, "/api/sync/equipment", 10, async |_: &Value| {
        for at in [page * 10, 119 - page * 4, 0] {
            if page < 11 {
                rig.patch(
                    &format!("/api/equipment/{}", all[at]),
                    json!({"location": format!("place {page}")}),
                )
                .await?;
            }
        }
        page += 1;
        Ok(())
    })
    .await?;

    let mut versions: BTreeMap<&str, Vec<DateTime<Utc>>> = BTreeMap::new();
    for (id, version) in &seen {
        versions.entry(id).or_default().push(*version);
    }
    assert_eq!(versions.len(), all.len(), "none is missed");
    for (id, versions) in &versions {
        assert!(
            versions.is_sorted_by(|a, b| a < b),
            "{id} comes again only in a newer version: {versions:?}"
        );
    }
    let last: Vec<Value> = rig.query("SELECT id, updated_at FROM records WHERE kind = 'equipment'").await?;
    for row in last {
        let id = row["id"].as_str().context("an id")?;
        let newest: DateTime<Utc> = row["updated_at"].as_str().context("a time")?.parse()?;
        assert_eq!(versions[id].last(), Some(&newest), "the last version of {id} was read");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn drafts_are_not_served() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    rig.enter_a_vessel().await?;
    for (list, id) in [("vessels", "v-1"), ("equipment", "e-1"), ("users", "u-1")] {
        for query in [
            "limit=10".to_owned(),
            format!("ids={id}"),
            "vesselId=v-1".to_owned(),
            "companyId=c-1".to_owned(),
        ] {
            let page = rig.get(&format!("/api/sync/{list}?{query}")).await?;
            assert_eq!((&page["data"], &page["page"]["total"]), (&json!([]), &json!(0)), "{list}?{query}");
        }
    }
    let export = rig.ask(Method::POST, "/api/sync/export/v-1", None).await?;
    assert_eq!((export.status, &export.body["code"]), (StatusCode::NOT_FOUND, &"vessel_unknown".into()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn withdrawn_record_is_served_as_a_tombstone_at_the_end() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    rig.enter_a_vessel().await?;
    rig.enter([("equipment", equipment("e-2", "v-1", 2))]).await?;
    rig.post("/api/vessels/v-1/approve").await?;
    rig.post("/api/equipment/e-1/withdraw").await?;

    let page = rig.get("/api/sync/equipment").await?;
    assert_eq!(page["page"]["total"], 2, "a tombstone counts");
    let (first, last) = (&page["data"][0], &page["data"][1]);
    assert_eq!((&first["id"], &last["id"]), (&"e-2".into(), &"e-1".into()));
    assert_eq!(first.get("withdrawnAt"), None);
    assert_eq!(last["withdrawnAt"], last["updatedAt"]);
    assert_eq!(last["name"], "Auxiliary engine", "a tombstone keeps its fields");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn list_is_filtered_by_time_ids_vessel_and_company() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    rig.enter_a_vessel().await?;
    rig.enter([
        ("companies", company("c-2")),
        ("vessels", vessel("v-2", "c-2", "9619907")),
        ("equipment", equipment("e-2", "v-2", 1)),
        ("users", user("u-2", &["v-1", "v-2"])),
    ])
    .await?;
    rig.post("/api/vessels/v-1/approve").await?;
    let since =
        rig.post("/api/vessels/v-2/approve").await?["updatedAt"].as_str().context("a time")?.to_owned();

    assert_eq!(
        rig.listed(&format!("/api/sync/vessels?updatedSince={since}")).await?,
        ["v-2"],
        "the bound is inclusive"
    );
    assert_eq!(rig.get(&format!("/api/sync/equipment?updatedSince={since}")).await?["page"]["total"], 1);
    // A vessel is listed with its company, whose change nothing else would tell of.
    rig.patch("/api/companies/c-1", json!({"name": "Renamed"})).await?;
    assert_eq!(
        rig.listed(&format!("/api/sync/vessels?updatedSince={since}")).await?,
        ["v-2", "v-1"],
        "a change of the company alone"
    );
    assert_eq!(rig.listed("/api/sync/equipment?ids=e-2,unknown").await?, ["e-2"]);
    assert_eq!(rig.listed("/api/sync/equipment?vesselId=v-1").await?, ["e-1"]);
    assert_eq!(rig.listed("/api/sync/users?vesselId=v-2").await?, ["u-2"]);
    assert_eq!(rig.listed("/api/sync/users?vesselId=v-1").await?, ["u-1", "u-2"]);
    assert_eq!(rig.listed("/api/sync/vessels?companyId=c-1").await?, ["v-1"]);

    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_query_parameter_is_refused_by_name() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    for (query, parameter) in [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("cursor=mine", "cursor"),
        ("include=all", "include"),
        ("slice=4/4", "slice"),
        ("slice=0/3", "slice"),
        ("slice=0/128", "slice"),
    ] {
        let refused = rig.ask(Method::GET, &format!("/api/sync/vessels?{query}"), None).await?;
        assert_eq!(
            (refused.status, &refused.body["parameter"]),
            (StatusCode::BAD_REQUEST, &parameter.into())
        );
    }
    let refused = rig.ask(Method::GET, "/api/sync/vessels?updatedSince=yesterday", None).await?;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn vessel_is_served_with_its_company_and_changes_with_it() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    rig.enter_a_vessel().await?;
    rig.post("/api/vessels/v-1/approve").await?;
    let changed = rig.patch("/api/companies/c-1", json!({"name": "Nordhavn Shipping AS"})).await?;

    let version = changed["updatedAt"].as_str().context("a version")?;
    let page = rig.get(&format!("/api/sync/vessels?updatedSince={version}")).await?;
    let vessel = &page["data"][0];
    assert_eq!((&vessel["id"], &vessel["company"]["name"]), (&"v-1".into(), &"Nordhavn Shipping AS".into()));
    assert_eq!((&vessel["updatedAt"], &vessel["company"]["updatedAt"]), (&version.into(), &version.into()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn export_holds_the_records_of_one_vessel_only() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    rig.enter_a_vessel().await?;
    rig.enter([("vessels", vessel("v-2", "c-1", "9619907")), ("equipment", equipment("e-2", "v-2", 1))])
        .await?;
    rig.post("/api/vessels/v-1/approve").await?;
    rig.post("/api/vessels/v-2/approve").await?;
    rig.enter([("equipment", equipment("e-3", "v-1", 2))]).await?;
    rig.post("/api/equipment/e-1/withdraw").await?;

    let export = rig.post("/api/sync/export/v-1").await?;
    assert_eq!((&export["vessel"]["id"], &export["vessel"]["company"]["id"]), (&"v-1".into(), &"c-1".into()));
    let ids = |name: &str| {
        export[name].as_array().map(|all| all.iter().map(|it| it["id"].clone()).collect::<Vec<_>>())
    };
    assert_eq!((ids("equipment"), ids("users")), (Some(vec!["e-1".into()]), Some(vec!["u-1".into()])));
    assert!(export["equipment"][0]["withdrawnAt"].is_string());
    assert!(export["asOf"].is_string());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn page_is_compressed_on_request_unless_the_config_forbids_it() -> anyhow::Result<()> {
    let rig = with_fleet(200).await?;
    let path = "/api/sync/equipment?limit=200";
    let compressed = rig.request(Method::GET, path).header("accept-encoding", "gzip").send().await?;
    assert_eq!(compressed.headers()["content-encoding"], "gzip");
    let compressed = compressed.bytes().await?.len();
    let plain = rig.request(Method::GET, path).send().await?;
    assert_eq!(plain.headers().get("content-encoding"), None);
    assert!(compressed * 3 < plain.bytes().await?.len(), "{compressed} bytes");

    let rig = Rig::with(Environment::Production, &[("SMS_SERVER__COMPRESS", "false")]).await?;
    let fleet = Fleet::of_size(Size { vessels: 1, equipment: 50, users: 0 }, Detail::Plain);
    rig.seed(&fleet).await?;
    let plain = answer(rig.request(Method::GET, path).header("accept-encoding", "gzip")).await?;
    assert_eq!(plain.headers.get("content-encoding"), None);
    assert_eq!(plain.body["data"].as_array().map(Vec::len), Some(50));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn late_page_is_read_by_index_without_scanning_earlier_records() -> anyhow::Result<()> {
    let rig = with_fleet(20_000).await?;
    // The cursor of the last but one page.
    let row = rig
        .query(
            "SELECT updated_at, id FROM records WHERE kind = 'equipment' ORDER BY 1, 2 OFFSET 19000 LIMIT 1",
        )
        .await?;
    let last: DateTime<Utc> = row[0]["updated_at"].as_str().context("a time")?.parse()?;
    let id = row[0]["id"].as_str().context("an id")?;
    let cursor = URL_SAFE_NO_PAD.encode(format!("{}:{id}", last.timestamp_micros()));

    let read = "SELECT (SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'records_listed') AS by_index,
                       (SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'records') AS by_scan";
    let before = rig.query(read).await?;
    let page = rig.get(&format!("/api/sync/equipment?limit=500&cursor={cursor}")).await?;
    assert_eq!(page["data"].as_array().map(Vec::len), Some(500));
    // PostgreSQL updates its statistics with a delay.
    let after = testbed::wait_until("the page is counted", PATIENCE, async || {
        let now = rig.query(read).await.map_err(|error| error.to_string())?;
        if now[0]["by_index"] == before[0]["by_index"] { Err(now) } else { Ok(now) }
            .map_err(|now| format!("{now:?}"))
    })
    .await?;
    let by_index = after[0]["by_index"].as_i64().context("a number")?
        - before[0]["by_index"].as_i64().context("a number")?;
    assert!((501..1000).contains(&by_index), "{by_index} entries were read");
    assert_eq!(after[0]["by_scan"], before[0]["by_scan"], "the table was not read through");
    Ok(())
}
