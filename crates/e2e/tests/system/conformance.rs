//! The APIs as their OpenAPI documents describe them, asked by schemathesis with what the documents allow and with what they do
//! not, and by a Python client that is generated from one.

use std::{path::Path, process::Stdio};

use anyhow::{Context, ensure};
use e2e::{Setup, System};
use tokio::process::Command;

/// Runs schemathesis against a running system; its output is that of the test.
async fn check(document: &str, url: &str, header: &str, options: &[&str]) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = Command::new(root.join("deploy/local/schemathesis.sh"))
        .args([&format!("proto-schemas/{document}"), url, header])
        .args(options)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .context("schemathesis could not be started")?;
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{document}: {}\n{said}", output.status);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_the_operator_api_are_as_its_document_describes_them() -> anyhow::Result<()> {
    let system = System::start(Setup { one_process: true, ..Setup::default() }).await?;
    system.operator.full_sync().await?;
    let header = format!("Authorization: Bearer {}", system.operator.token());
    let options = [
        "--phases",
        "examples,coverage,fuzzing",
        "--max-examples",
        "8",
        // An event stream has no end.
        "--exclude-operation-id",
        "streamUpdates",
    ];
    check("operator-api.openapi.json", &system.operator.url, &header, &options).await
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_the_onboarding_portal_are_as_its_document_describes_them() -> anyhow::Result<()> {
    let system = System::start(Setup { one_process: true, ..Setup::default() }).await?;
    let header = format!("X-API-Key: {}", e2e::ONBOARDING_ADMIN_KEY);
    let options = [
        "--phases",
        "examples,coverage,fuzzing",
        "--max-examples",
        "8",
        // Faults are there to answer what no document describes, and an endpoint could be any host.
        "--exclude-path-regex",
        "^/api/(faults|webhooks)",
    ];
    check("onboarding-api.openapi.json", &system.portal.daemon.url, &header, &options).await
}

#[tokio::test(flavor = "multi_thread")]
async fn python_client_generated_from_the_document_works() -> anyhow::Result<()> {
    let system = System::start(Setup { one_process: true, ..Setup::default() }).await?;
    system.operator.full_sync().await?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = Command::new(root.join("deploy/local/python-client.sh"))
        .args([&system.operator.url, &system.operator.token().to_string()])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}\n{said}", output.status);
    Ok(())
}
