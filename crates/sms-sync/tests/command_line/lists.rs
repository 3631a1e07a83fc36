//! Lists that take several requests, and bulk commands that ask first.

use std::fmt::Write as _;

use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{answer, answer_once, listener, run, sms_sync};

/// A page of replay jobs whose reasons count from `first`.
fn page(first: i64, number: i64, total: i64, next_cursor: Option<&str>) -> String {
    let job = |reason: i64| {
        json!({
            "id": "019ab2c4-0000-7000-8000-000000000001", "state": "completed", "filter": {}, "requestedBy": "anna",
            "reason": reason.to_string(), "ratePerSecond": null, "createdAt": "2026-11-27T12:00:00Z",
            "completedAt": null, "cancelledAt": null, "cancelledBy": null,
            "counts": {"waiting": 0, "sent": 0, "succeeded": 1, "died": 0, "cancelled": 0}
        })
    };
    let jobs: Vec<Value> = (first..first + number).map(job).collect();
    let pagination = json!({"limit": 200, "offset": first, "total": total, "nextCursor": next_cursor});
    json!({"data": jobs, "pagination": pagination}).to_string()
}

/// Answers one request after another; the targets that were asked for.
async fn answer_all(listener: TcpListener, pages: Vec<String>) -> String {
    let mut asked = String::new();
    for page in pages {
        let request = answer(&listener, "200 OK", page).await;
        write!(asked, "{} ", request.split_whitespace().nth(1).unwrap_or_default()).expect("a text grows");
    }
    asked
}

#[tokio::test(flavor = "multi_thread")]
async fn list_longer_than_a_page_is_read_whole_by_cursor_or_by_offset() {
    for (cursor, second) in [(Some("c2"), "limit=200&cursor=c2"), (None, "limit=200&offset=200")] {
        let (listener, url) = listener().await;
        let pages = vec![page(0, 200, 203, cursor), page(200, 3, 203, None)];
        let answering = tokio::spawn(answer_all(listener, pages));
        let arguments = ["dead-letters", "jobs", "--limit", "all", "--output", "ndjson", "--url", &url];
        let output = run(sms_sync(&arguments)).await;
        let asked = answering.await.expect("it was asked");
        let printed = String::from_utf8(output.stdout).expect("text");
        let reasons: Vec<i64> = printed
            .lines()
            .map(|line| {
                serde_json::from_str::<Value>(line).expect("JSON")["reason"].as_str().expect("a text").parse()
            })
            .collect::<Result<_, _>>()
            .expect("numbers");
        assert_eq!(reasons, (0..203).collect::<Vec<_>>());
        assert_eq!(
            asked.trim(),
            format!("/api/sync/bulk/replay?limit=200&offset=0 /api/sync/bulk/replay?{second}")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bulk_command_counts_first_and_is_refused_without_yes_where_nobody_can_answer() {
    for (arguments, plan, question) in [
        (
            &["dead-letters", "replay", "--class", "transient"][..],
            json!({"matching": 12, "replaying": 7}),
            "Replay 7 of 12 dead letters?",
        ),
        (
            &["webhooks", "reprocess", "--state", "failed"],
            json!({"matching": 3, "atMost": 1000}),
            "Reprocess 3 of 3 webhook events?",
        ),
    ] {
        let (listener, url) = listener().await;
        let answering = tokio::spawn(answer_once(listener, "200 OK", plan.to_string()));
        let output = run(sms_sync(&[arguments, &["--url", &url]].concat())).await;
        let asked = answering.await.expect("it was asked");
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{complaint}");
        assert!(asked.contains("/plan "), "nothing but the plan: {asked}");
        assert!(complaint.contains(question) && complaint.contains("--yes"), "{complaint}");
    }
}
