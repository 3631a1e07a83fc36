//! The exit codes that `sms-sync --help` names.

use serde_json::json;

use super::{answer_once, listener, run, sms_sync};

fn problem(status: u16, code: &str) -> String {
    json!({"type": "about:blank", "title": "No", "status": status, "code": code, "errors": []}).to_string()
}

/// The exit code of a request that the API answers with a problem, and what is printed.
async fn refused(status: &'static str, body: String) -> (Option<i32>, String) {
    let (listener, url) = listener().await;
    let answering = tokio::spawn(answer_once(listener, status, body));
    let mut command = sms_sync(&["history", "--url", &url]);
    // { "sub": "anna", "role": "viewer" }
    command.env("OPERATOR_TOKEN", "x.eyJzdWIiOiJhbm5hIiwicm9sZSI6InZpZXdlciJ9.y");
    let output = run(command).await;
    answering.await.expect("it was asked");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_and_outages_have_the_exit_codes_that_the_help_names() {
    for (status, body, code) in [
        ("401 Unauthorized", problem(401, "token_expired"), 77),
        ("403 Forbidden", problem(403, "role_too_low"), 77),
        ("503 Service Unavailable", problem(503, "database_unavailable"), 69),
        ("404 Not Found", problem(404, "not_found"), 1),
        ("200 OK", "<html>".to_owned(), 1),
    ] {
        let (exit, complaint) = refused(status, body).await;
        assert_eq!(exit, Some(code), "{status}: {complaint}");
    }
    let nobody = run(sms_sync(&["history", "--url", "http://127.0.0.1:9"])).await;
    assert_eq!(nobody.status.code(), Some(69));
    assert_eq!(run(sms_sync(&["history", "--limit", "many"])).await.status.code(), Some(2));
    assert_eq!(run(sms_sync(&["config", "check"])).await.status.code(), Some(78));
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_token_is_named_with_its_operator_and_origin() {
    let (_, complaint) = refused("401 Unauthorized", problem(401, "token_expired")).await;
    assert!(complaint.contains("  the token: of anna (viewer), from OPERATOR_TOKEN\n"), "{complaint}");
    assert!(complaint.contains("what to do: create a new token"), "{complaint}");
}

#[test]
fn config_check_names_the_problems_of_all_services_at_once() {
    let mut command = sms_sync(&["config", "check", "--output", "json"]);
    command
        .env("AMQP_URL", "amqp://sms:2119fc3095e5e24d@broker/%2f")
        .env("DATABASE_URL", "postgres://db/sms");
    let output = command.output().expect("it runs");
    assert_eq!(output.status.code(), Some(78));
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let problems = answer["problems"].as_array().expect("a list");
    let services = |name: &str| {
        let problem =
            problems.iter().find(|it| it["name"] == name).unwrap_or_else(|| panic!("{name}: {answer:#}"));
        problem["services"].clone()
    };
    assert_eq!(services("WEBHOOK_SECRET"), json!(["webhook-ingest"]));
    assert_eq!(services("PASSWORD_SEAL_KEY"), json!(["worker", "status"]));
    assert_eq!(services("OPERATOR_JWT_SECRET"), json!(["status"]));
    assert!(problems.iter().all(|it| it["name"] != "AMQP_URL"), "{answer:#}");
}

#[test]
fn help_names_every_variable_of_the_services() {
    for command in ["up", "config"] {
        let help = sms_sync(&[command, "--help"]).output().expect("it runs").stdout;
        let help = String::from_utf8(help).expect("text");
        for name in [
            "DATABASE_URL",
            "AMQP_URL",
            "WEBHOOK_SECRETS",
            "ONBOARDING_API_KEY",
            "OPERATOR_JWT_SECRET",
            "BIND",
        ] {
            assert_eq!(help.matches(&format!("\n  {name} ")).count(), 1, "{command}, {name}: {help}");
        }
    }
}
