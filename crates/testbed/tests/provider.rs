//! The provider, asked as the worker asks it.

use reqwest::Method;
use serde_json::{Value, json};
use testbed::{Answer, Cursors, List, Provider};

async fn send(provider: &Provider, method: Method, target: &str) -> reqwest::Result<(u16, String)> {
    rustls::crypto::ring::default_provider().install_default().ok();
    let client = reqwest::Client::builder().build()?;
    let answer = client.request(method, format!("{}/sync/{target}", provider.url())).send().await?;
    Ok((answer.status().as_u16(), answer.text().await?))
}

async fn get(provider: &Provider, target: &str) -> reqwest::Result<(u16, String)> {
    send(provider, Method::GET, target).await
}

async fn page(provider: &Provider, target: &str) -> anyhow::Result<Value> {
    let (status, body) = get(provider, target).await?;
    anyhow::ensure!(status == 200, "{status} {body}");
    Ok(serde_json::from_str(&body)?)
}

/// Ids of the pages that a client reads, page by page, and at most so many.
async fn read_pages(provider: &Provider, limit: usize, most: usize) -> anyhow::Result<Vec<Vec<String>>> {
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    while pages.len() < most {
        let page = page(provider, &format!("vessels?limit={limit}{cursor}")).await?;
        let ids = page["data"].as_array().into_iter().flatten().filter_map(|it| it["id"].as_str());
        pages.push(ids.map(str::to_owned).collect());
        match page["page"]["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    Ok(pages)
}

#[tokio::test]
async fn raw_record_travels_byte_for_byte_beside_others() -> anyhow::Result<()> {
    let provider = Provider::start().await?;
    provider.small_fleet();
    let raw = r#"{"id":"v-2","name":"\ud800"}"#;
    provider.put_raw(List::Vessels, "v-2", raw);
    let (_, body) = get(&provider, "vessels?updatedSince=2026-05-01T00:00:00Z").await?;
    assert!(body.contains(&format!(r#"}},{raw},{{"#)), "{body}");
    let (_, body) = get(&provider, "vessels?ids=v-1,v-3").await?;
    assert!(!body.contains(raw), "{body}");
    Ok(())
}

#[tokio::test]
async fn explicit_order_and_own_page_size_decide_about_the_pages() -> anyhow::Result<()> {
    let provider = Provider::start().await?;
    provider.small_fleet();
    provider.order(List::Vessels, &["v-3"]);
    provider.page_size(List::Vessels, 2);
    assert_eq!(read_pages(&provider, 100, 9).await?, [vec!["v-3", "v-1"], vec!["v-2"]]);
    Ok(())
}

#[tokio::test]
async fn cursors_lead_where_a_test_wants() -> anyhow::Result<()> {
    let provider = Provider::start().await?;
    provider.small_fleet();
    for (cursors, pages) in [
        (Cursors::Keyset, vec!["v-1", "v-2", "v-3"]),
        (Cursors::Offset, vec!["v-1", "v-2", "v-3"]),
        (Cursors::Circle, vec!["v-1", "v-2", "v-3", "v-2", "v-3"]),
        (Cursors::Repeat, vec!["v-1"; 5]),
        (Cursors::Stuck, vec!["v-1", "v-2", "v-2", "v-2", "v-2"]),
    ] {
        provider.cursors(List::Vessels, cursors);
        assert_eq!(read_pages(&provider, 1, 5).await?.concat(), pages, "{cursors:?}");
    }
    provider.cursors(List::Vessels, Cursors::Refused(410));
    assert!(read_pages(&provider, 1, 5).await.unwrap_err().to_string().starts_with("410"));
    Ok(())
}

#[tokio::test]
async fn change_after_a_page_hides_a_record_only_behind_an_offset() -> anyhow::Result<()> {
    for (cursors, pages) in
        [(Cursors::Keyset, vec!["v-1", "v-2", "v-3"]), (Cursors::Offset, vec!["v-1", "v-3"])]
    {
        let provider = Provider::start().await?;
        provider.small_fleet();
        provider.cursors(List::Vessels, cursors);
        provider.after_page(List::Vessels, 0, |provider| provider.forget("v-1"));
        assert_eq!(read_pages(&provider, 1, 5).await?.concat(), pages, "{cursors:?}");
    }
    Ok(())
}

#[tokio::test]
async fn announcements_need_not_be_true() -> anyhow::Result<()> {
    let provider = Provider::start().await?;
    provider.small_fleet();
    assert_eq!(
        page(&provider, "vessels?limit=5").await?["page"],
        json!({"limit": 5, "asOf": "2026-05-01T00:00:00Z", "total": 3, "totalCompanies": 1})
    );
    provider.announce(List::Vessels, "many");
    provider.announce_companies(Value::Null);
    provider.set_as_of(None);
    assert_eq!(page(&provider, "vessels?limit=5").await?["page"], json!({"limit": 5, "total": "many"}));
    Ok(())
}

#[tokio::test]
async fn scripted_answers_come_once_and_before_failures() -> anyhow::Result<()> {
    let provider = Provider::start().await?;
    provider.small_fleet();
    provider.answer_page(List::Vessels, 1, Answer::status(418));
    provider.answer_next(List::Vessels, Answer::ok("{"));
    provider.answer_next(List::Vessels, Answer::ok("whole").cut_after(2));
    provider.fail_list(List::Vessels, Some(503));
    assert_eq!(get(&provider, "vessels").await?, (200, "{".to_owned()));
    assert!(get(&provider, "vessels").await.is_err(), "the connection is cut");
    assert_eq!(get(&provider, "vessels").await?.0, 503);
    assert_eq!(get(&provider, "vessels?cursor=1:v-1").await?.0, 418);
    assert_eq!(get(&provider, "users").await?.0, 200);
    assert_eq!(provider.requests_for(List::Vessels).len(), 4);
    Ok(())
}

#[tokio::test]
async fn updated_since_compares_times_and_not_texts() -> anyhow::Result<()> {
    let provider = Provider::start().await?;
    provider.put_vessel("v-later", json!({"updatedAt": "2026-05-01T00:30:00-01:00"}));
    provider.put_vessel("v-same", json!({"updatedAt": "2026-05-01T01:00:00.000Z"}));
    provider.put_vessel("v-earlier", json!({"updatedAt": "2026-05-01T02:30:00+02:00"}));
    let listed = page(&provider, "vessels?updatedSince=2026-05-01T01:00:00Z").await?;
    assert_eq!(listed["page"]["total"], 2, "{listed}");
    Ok(())
}

#[tokio::test]
async fn export_is_made_of_the_other_lists_unless_it_is_put_as_a_whole() -> anyhow::Result<()> {
    let provider = Provider::start().await?;
    provider.small_fleet();
    provider.set_as_of(Some("noon"));
    provider.put_user("u-2", json!({"vesselIds": ["v-2"]}));
    let (_, body) = send(&provider, Method::POST, "export/v-2").await?;
    let export: Value = serde_json::from_str(&body)?;
    let ids = |list: &Value| -> Vec<Value> {
        list.as_array().into_iter().flatten().map(|record| record["id"].clone()).collect()
    };
    assert_eq!((&export["vessel"]["id"], &export["asOf"]), (&json!("v-2"), &json!("noon")));
    assert_eq!(
        (ids(&export["equipment"]), ids(&export["users"])),
        (vec![json!("e-2a"), json!("e-2b")], vec![json!("u-2")])
    );
    assert_eq!(send(&provider, Method::POST, "export/v-9").await?.0, 404);
    provider.put_raw(List::Export, "v-2", "[");
    assert_eq!(send(&provider, Method::POST, "export/v-2").await?, (200, "[".to_owned()));
    Ok(())
}
