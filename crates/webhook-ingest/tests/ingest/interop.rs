//! The public `standardwebhooks` libraries of npm and PyPI agree with us, both ways: what they sign the running service
//! takes, and what we sign they verify. The examples of `docs/webhooks.md` are run as they are written there.

use std::{path::PathBuf, process::Stdio};

use anyhow::Context;
use contracts::webhook::signature::Secret;
use domain::clock::{Clock, SystemClock};
use tokio::process::Command;

use crate::scene::{SECRET, Scene, Webhook, client, new_id};

const NPM: &str = "standardwebhooks@1.1.1";
const PYPI: &str = "standardwebhooks==1.1.0";

/// Signs, or verifies and says `verified`: SECRET ID TIMESTAMP BODY [SIGNATURE].
const JAVASCRIPT: &str = r#"
const { Webhook } = require("standardwebhooks");
const [secret, id, timestamp, body, signature] = process.argv.slice(1);
const webhook = new Webhook(secret);
if (signature === undefined) {
  console.log(webhook.sign(id, new Date(Number(timestamp) * 1000), body));
} else {
  webhook.verify(body, { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature });
  console.log("verified");
}
"#;
const PYTHON: &str = r#"
import sys, datetime
from standardwebhooks.webhooks import Webhook
secret, id, timestamp, body, *signature = sys.argv[1:]
webhook = Webhook(secret)
if not signature:
    print(webhook.sign(id, datetime.datetime.fromtimestamp(int(timestamp), datetime.timezone.utc), body))
else:
    webhook.verify(body, {"webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature[0]})
    print("verified")
"#;

/// A library of another language, installed once under `.local`.
struct Library {
    program: PathBuf,
    script: [&'static str; 2],
    directory: PathBuf,
}

impl Library {
    async fn of_npm() -> anyhow::Result<Self> {
        let directory = testbed::workspace_root().join(".local/interop").join(NPM);
        if !directory.join("node_modules/standardwebhooks").exists() {
            std::fs::create_dir_all(&directory)?;
            let flags = ["install", "--no-audit", "--no-fund", "--no-save", "--prefix", "."];
            run(Command::new("npm").args(flags).arg(NPM).current_dir(&directory)).await?;
        }
        Ok(Self { program: "node".into(), script: ["-e", JAVASCRIPT], directory })
    }

    async fn of_pypi() -> anyhow::Result<Self> {
        let directory = testbed::workspace_root().join(".local/interop").join(PYPI);
        let program = directory.join("bin/python");
        if !directory.join("done").exists() {
            std::fs::create_dir_all(&directory)?;
            run(Command::new("python3").args(["-m", "venv", "--clear", "."]).current_dir(&directory)).await?;
            let flags = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
            run(Command::new(&program).args(flags).arg(PYPI)).await?;
            std::fs::write(directory.join("done"), "")?;
        }
        Ok(Self { program, script: ["-c", PYTHON], directory })
    }

    async fn call(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let mut command = Command::new(&self.program);
        run(command.args(self.script).args(arguments).current_dir(&self.directory)).await
    }
}

async fn run(command: &mut Command) -> anyhow::Result<String> {
    let name = format!("{:?}", command.as_std().get_program());
    let output =
        command.stdin(Stdio::null()).output().await.with_context(|| format!("{name} cannot be started"))?;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    anyhow::ensure!(output.status.success(), "{name}: {said}\n{}", String::from_utf8_lossy(&output.stderr));
    Ok(said)
}

/// `node` takes what follows `--` as arguments of the script, and so would not `python`.
async fn both_ways(library: &Library, dashes: &[&str]) -> anyhow::Result<()> {
    let scene = Scene::new(&[]).await?;
    let body = r#"{"type":"vessel.approved","timestamp":"2026-11-24T08:30:00Z","data":{"id":"v-1","name":"Gjøa ⚓"}}"#;
    let now = SystemClock.now().timestamp();

    let id = new_id();
    let signature = library.call(&[dashes, &[SECRET, &id, &now.to_string(), body]].concat()).await?;
    let theirs =
        Webhook::signed("any", &id, now, body.as_bytes()).with("webhook-signature", Some(&signature));
    let answer = scene.send(&theirs).await?;
    assert_eq!(answer.status, 202, "what {:?} signed: {answer:?}", library.program);
    let answer = scene.send(&Webhook { body: body.replace('1', "2").into_bytes(), ..theirs }).await?;
    assert_eq!(answer.status, 401, "and changed afterwards: {answer:?}");

    let ours = Secret::parse(&SECRET.to_owned().into())?.sign(&id, now, body.as_bytes());
    let verify = async |body: &str, signature: &str| {
        library.call(&[dashes, &[SECRET, &id, &now.to_string(), body, signature]].concat()).await
    };
    assert_eq!(verify(body, &ours).await?, "verified");
    assert!(verify("{}", &ours).await.is_err(), "it is a real library");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_library_of_npm_signs_what_is_taken_and_verifies_what_we_sign() -> anyhow::Result<()> {
    both_ways(&Library::of_npm().await?, &["--"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_library_of_pypi_signs_what_is_taken_and_verifies_what_we_sign() -> anyhow::Result<()> {
    both_ways(&Library::of_pypi().await?, &[]).await
}

/// The example in this language, without what every program of that language has before and after it.
fn example(language: &str) -> anyhow::Result<String> {
    let page = std::fs::read_to_string(testbed::workspace_root().join("docs/webhooks.md"))?;
    let (_, after) =
        page.split_once(&format!("```{language}\n")).with_context(|| format!("no example in {language}"))?;
    let (code, _) = after.split_once("```").context("the example has no end")?;
    Ok(code.to_owned())
}

/// Runs a program that sends a `test.ping` to `url`, signed with the secret of its environment.
async fn sends_a_ping(mut program: Command, scene: &Scene) -> anyhow::Result<()> {
    run(program.env("WEBHOOK_SECRET", SECRET).env("URL", scene.url())).await?;
    assert_eq!(scene.count("webhook_events WHERE event_type = 'test.ping'").await?, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_in_javascript_is_taken() -> anyhow::Result<()> {
    let (library, scene) = (Library::of_npm().await?, Scene::new(&[]).await?);
    let code = format!("const url = process.env.URL;\n{}", example("js")?);
    let mut node = Command::new("node");
    node.args(["--input-type=module", "-e", &code]).current_dir(&library.directory);
    sends_a_ping(node, &scene).await?;
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_in_python_is_taken() -> anyhow::Result<()> {
    let (library, scene) = (Library::of_pypi().await?, Scene::new(&[]).await?);
    let send = "urllib.request.urlopen(urllib.request.Request(os.environ['URL'], body.encode(), headers))";
    let code = format!("import datetime, json, os, urllib.request, uuid\n{}\n{send}\n", example("python")?);
    let mut python = Command::new(&library.program);
    python.args(["-c", &code]);
    sends_a_ping(python, &scene).await?;
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::disallowed_methods, reason = "a sender's program knows none of our rules")]
async fn the_example_in_rust_is_taken() -> anyhow::Result<()> {
    let scene = Scene::new(&[]).await?;
    let (client, url, secret) = (client(), scene.url(), SECRET);
    // These lines are the example's.
    let webhook = standardwebhooks::Webhook::new(secret)?; // Cargo
    let body = r#"{"type":"test.ping","timestamp":"2026-11-24T08:30:00Z","data":{}}"#;
    let (id, now) = (format!("msg_{}", uuid::Uuid::new_v4().simple()), chrono::Utc::now().timestamp());
    let signature = webhook.sign(&id, now, body.as_bytes())?;
    let request = client
        .post(url)
        .header("content-type", "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", now)
        .header("webhook-signature", signature)
        .body(body);
    assert_eq!(request.send().await?.status(), 202);
    let lines = |text: &str| text.split_whitespace().collect::<String>();
    assert!(
        lines(include_str!("interop.rs")).contains(&lines(&example("rust")?)),
        "the page says something else"
    );
    scene.end().await;
    Ok(())
}
