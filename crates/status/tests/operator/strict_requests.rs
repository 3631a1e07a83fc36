//! Requests that hold what the operation does not take. The operations come from the OpenAPI document, so that a new one is
//! tried without being named.

use std::collections::BTreeMap;

use chassis::auth::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    request::{DOCUMENT, operations},
    scene::Scene,
};

const SETTINGS: &str = "/api/sync/settings";

fn errors(problem: &Value) -> BTreeMap<&str, &str> {
    let errors = problem["errors"].as_array().into_iter().flatten();
    errors
        .map(|it| (it["pointer"].as_str().unwrap_or_default(), it["detail"].as_str().unwrap_or_default()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_refuses_unknown_and_repeated_parameters_by_name() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    for operation in operations() {
        let path = operation.path_of_nothing();
        let ask = |query: &str| {
            scene.request(Role::Admin, operation.method.clone(), &format!("{path}?{query}")).json(&json!({}))
        };
        let problem = scene.json(ask("statsu=failed"), 422).await;
        assert!(errors(&problem).contains_key("#/statsu"), "{operation:?}: {problem}");
        let parameters = operation.described["parameters"].as_array().into_iter().flatten();
        for parameter in parameters.filter(|it| it["in"] == "query" && it["schema"]["type"] != "array") {
            let name = parameter["name"].as_str().unwrap_or_default();
            let problem = scene.json(ask(&format!("{name}=1&{name}=1")), 422).await;
            let of_name =
                problem["errors"].as_array().into_iter().flatten().filter(|it| it["code"] == "repeated");
            assert_eq!(of_name.count(), 1, "{operation:?}: {problem}");
        }
    }
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_with_a_body_refuses_what_is_no_object_and_unknown_fields() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let with_bodies: Vec<_> = operations().filter(|it| it.described["requestBody"].is_object()).collect();
    assert!(with_bodies.len() > 10, "{}", with_bodies.len());
    for operation in with_bodies {
        let ask = || {
            let request = scene.request(Role::Admin, operation.method.clone(), &operation.path_of_nothing());
            request.header("if-match", "\"1\"")
        };
        for (body, pointer) in
            [(json!([]), "#"), (json!(7), "#"), (json!({"noSuchField": 1}), "#/noSuchField")]
        {
            let problem = scene.json(ask().json(&body), 422).await;
            assert!(errors(&problem).contains_key(pointer), "{operation:?} {body}: {problem}");
            assert_no_words_of_the_parser(&problem);
        }
        scene.json(ask().body("application/json", "{"), 400).await;
        scene.json(ask().body("text/plain", "{}"), 415).await;
    }
    assert_eq!(scene.rows("SELECT id FROM sync_logs").await, Vec::<Value>::new(), "a list starts no sync");
    scene.end().await;
    Ok(())
}

fn assert_no_words_of_the_parser(problem: &Value) {
    let text = problem.to_string();
    for word in ["struct ", "sequence", "invalid type", ", expected"] {
        assert!(!text.contains(word), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_path_answers_other_methods_with_those_that_it_has() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let mut methods = BTreeMap::<_, Vec<Method>>::new();
    for operation in operations() {
        methods.entry(operation.path_of_nothing()).or_default().push(operation.method);
    }
    for (path, known) in methods {
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            if known.contains(&method) {
                continue;
            }
            let answer = scene.request(Role::Admin, method.clone(), &path).send().await?;
            let allow = answer.headers().get("allow").and_then(|it| it.to_str().ok()).unwrap_or_default();
            let allow: Vec<Method> = allow.split(", ").filter_map(|it| it.parse().ok()).collect();
            assert_eq!((answer.status().as_u16(), &allow), (405, &known), "{method} {path}");
            let problem: Value = answer.json().await?;
            assert_eq!(problem["code"], "method_not_allowed");
        }
    }
    scene.json(scene.get("/api/sync/nothing"), 404).await;
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_types_of_a_body_are_all_named_at_once_in_words() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let wrong = json!({
        "pageSize": "many", "retryDelaysMs": [1, "soon", 3], "scheduleMode": "fast", "enableScheduledSync": 1,
        "pagesize": 7
    });
    let problem = scene.json(scene.request(Role::Admin, Method::POST, SETTINGS).json(&wrong), 422).await;
    let errors = errors(&problem);
    assert_eq!(
        errors.keys().collect::<Vec<_>>(),
        [&"#/enableScheduledSync", &"#/pageSize", &"#/pagesize", &"#/retryDelaysMs/1", &"#/scheduleMode"]
    );
    assert_eq!(errors["#/pageSize"], "must be an integer, is \"many\"");
    assert_no_words_of_the_parser(&problem);
    let twice = scene
        .request(Role::Admin, Method::POST, SETTINGS)
        .body("application/json", r#"{"pageSize": 1, "pageSize": 2}"#);
    let problem = scene.json(twice, 422).await;
    assert_eq!(problem["errors"][0]["detail"], "duplicate field `pageSize`");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_parameters_of_a_query_are_all_named_at_once_in_words() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let query = "/api/sync/conflicts?limit=many&offset=-1&state=broken&syncId=7&cursor=x";
    let problem = scene.json(scene.get(query), 422).await;
    let errors = errors(&problem);
    assert_eq!(
        errors.keys().collect::<Vec<_>>(),
        [&"#/cursor", &"#/limit", &"#/offset", &"#/state", &"#/syncId"]
    );
    assert_eq!(errors["#/state"], "must be one of open, resolved, is \"broken\"");
    assert_no_words_of_the_parser(&problem);
    // Who may not ask is not told what a query may hold.
    scene.json(scene.stranger("/api/sync/conflicts?cursor=x"), 401).await;
    scene.json(scene.get("/api/sync/updates?syncId=7"), 422).await;
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_field_of_a_cron_expression_is_named_with_its_range() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let change = json!({"scheduleCron": "0 40 * * *"});
    let request = scene.request(Role::Admin, Method::POST, SETTINGS).header("if-match", "*");
    let problem = scene.json(request.json(&change), 422).await;
    assert_eq!(errors(&problem)["#/scheduleCron"], "hour must be 0–23, got 40");
    let preview = "/api/sync/schedule/preview?cron=0%200%20*%2013%20*";
    let problem = scene.json(scene.get(preview), 422).await;
    assert_eq!(errors(&problem)["#/cron"], "month must be 1–12, got 13");
    scene.end().await;
    Ok(())
}

#[test]
fn every_response_is_described_and_none_is_hidden_behind_default() {
    for (path, item) in DOCUMENT["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            for (status, response) in operation["responses"].as_object().into_iter().flatten() {
                assert_ne!(status, "default", "{method} {path}");
                let description = response["description"].as_str().unwrap_or_default();
                assert!(!description.is_empty(), "{method} {path} {status}");
            }
        }
    }
}
