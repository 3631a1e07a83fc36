//! The public `standardwebhooks` libraries of npm and PyPI against the service: it accepts what they sign, and they verify what
//! we sign. The examples of `docs/webhooks.md` run as they are written there.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::Context;
use contracts::webhook::signature::Secret;
use domain::clock::{Clock, SystemClock};
use tokio::process::Command;

use crate::scene::{SECRET, Scene, Webhook, client, new_id};

const NPM_PACKAGE: &str = "standardwebhooks@1.1.1";
const PYPI_PACKAGE: &str = "standardwebhooks==1.1.0";

/// Arguments: SECRET ID TIMESTAMP BODY [SIGNATURE]. Prints a signature, or verifies the given one and prints `verified`.
const JAVASCRIPT_PROGRAM: &str = r#"
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
const PYTHON_PROGRAM: &str = r#"
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

/// A signing library of another language, installed once under `.local`.
struct SigningLibrary {
    program: PathBuf,
    script: [&'static str; 2],
    directory: PathBuf,
}

impl SigningLibrary {
    async fn of_npm() -> anyhow::Result<Self> {
        let directory = installed(NPM_PACKAGE, async |directory| {
            let flags = ["install", "--no-audit", "--no-fund", "--no-save", "--prefix", "."];
            run(Command::new("npm").args(flags).arg(NPM_PACKAGE).current_dir(directory)).await
        })
        .await?;
        Ok(Self { program: "node".into(), script: ["-e", JAVASCRIPT_PROGRAM], directory })
    }

    async fn of_pypi() -> anyhow::Result<Self> {
        let directory = installed(PYPI_PACKAGE, async |directory| {
            run(Command::new("python3").args(["-m", "venv", "--clear", "."]).current_dir(directory)).await?;
            let flags = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
            run(Command::new(directory.join("bin/python")).args(flags).arg(PYPI_PACKAGE)).await
        })
        .await?;
        Ok(Self { program: directory.join("bin/python"), script: ["-c", PYTHON_PROGRAM], directory })
    }

    async fn call(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let mut command = Command::new(&self.program);
        run(command.args(self.script).args(arguments).current_dir(&self.directory)).await
    }
}

/// The package's directory under `.local`. Tests that need it at the same time on a machine that lacks it wait for the one that
/// installs it.
async fn installed(
    package: &str,
    install: impl AsyncFnOnce(&Path) -> anyhow::Result<String>,
) -> anyhow::Result<PathBuf> {
    let all = testbed::workspace_root().join(".local/interop");
    let directory = all.join(package);
    std::fs::create_dir_all(&directory)?;
    let lock = File::create(all.join(format!("{package}.lock")))?;
    tokio::task::block_in_place(|| lock.lock())?;
    let done = directory.join("done");
    if !done.exists() {
        install(&directory).await.with_context(|| format!("{package} cannot be installed"))?;
        std::fs::write(done, "")?;
    }
    Ok(directory)
}

async fn run(command: &mut Command) -> anyhow::Result<String> {
    let name = format!("{:?}", command.as_std().get_program());
    let output =
        command.stdin(Stdio::null()).output().await.with_context(|| format!("{name} cannot be started"))?;
    let printed = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    anyhow::ensure!(
        output.status.success(),
        "{name}: {printed}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(printed)
}

/// `separator`: `node` needs `--` before the arguments of a script, `python` nothing.
async fn check_both_ways(library: &SigningLibrary, separator: &[&str]) -> anyhow::Result<()> {
    let scene = Scene::new(&[]).await?;
    let body = r#"{"type":"vessel.approved","timestamp":"2026-11-24T08:30:00Z","data":{"id":"v-1","name":"Gjøa ⚓"}}"#;
    let now = SystemClock.now().timestamp();

    let id = new_id();
    let signature = library.call(&[separator, &[SECRET, &id, &now.to_string(), body]].concat()).await?;
    let theirs =
        Webhook::signed("any", &id, now, body.as_bytes()).with("webhook-signature", Some(&signature));
    let answer = scene.send(&theirs).await?;
    assert_eq!(answer.status, 202, "what {:?} signed: {answer:?}", library.program);
    let answer = scene.send(&Webhook { body: body.replace('1', "2").into_bytes(), ..theirs }).await?;
    assert_eq!(answer.status, 401, "a changed body: {answer:?}");

    let ours = Secret::parse(&SECRET.to_owned().into())?.sign(&id, now, body.as_bytes());
    let verify = async |body: &str, signature: &str| {
        library.call(&[separator, &[SECRET, &id, &now.to_string(), body, signature]].concat()).await
    };
    assert_eq!(verify(body, &ours).await?, "verified");
    assert!(verify("{}", &ours).await.is_err(), "the library rejects another body");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn service_and_npm_library_accept_each_others_signatures() -> anyhow::Result<()> {
    check_both_ways(&SigningLibrary::of_npm().await?, &["--"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn service_and_pypi_library_accept_each_others_signatures() -> anyhow::Result<()> {
    check_both_ways(&SigningLibrary::of_pypi().await?, &[]).await
}

/// The code block of a language in `docs/webhooks.md`.
fn docs_example(language: &str) -> anyhow::Result<String> {
    let page = std::fs::read_to_string(testbed::workspace_root().join("docs/webhooks.md"))?;
    let (_, after) =
        page.split_once(&format!("```{language}\n")).with_context(|| format!("no example in {language}"))?;
    let (code, _) = after.split_once("```").context("the example has no end")?;
    Ok(code.to_owned())
}

/// Runs a program that sends a `test.ping` to the scene's service, signed with the secret of its environment.
async fn check_ping_is_accepted(mut program: Command, scene: &Scene) -> anyhow::Result<()> {
    run(program.env("WEBHOOK_SECRET", SECRET).env("URL", scene.url())).await?;
    assert_eq!(scene.count("webhook_events WHERE event_type = 'test.ping'").await?, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_javascript_example_of_the_docs_is_accepted() -> anyhow::Result<()> {
    let (library, scene) = (SigningLibrary::of_npm().await?, Scene::new(&[]).await?);
    let code = format!("const url = process.env.URL;\n{}", docs_example("js")?);
    let mut node = Command::new("node");
    node.args(["--input-type=module", "-e", &code]).current_dir(&library.directory);
    check_ping_is_accepted(node, &scene).await?;
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_example_of_the_docs_is_accepted() -> anyhow::Result<()> {
    let (library, scene) = (SigningLibrary::of_pypi().await?, Scene::new(&[]).await?);
    let send = "urllib.request.urlopen(urllib.request.Request(os.environ['URL'], body.encode(), headers))";
    let code =
        format!("import datetime, json, os, urllib.request, uuid\n{}\n{send}\n", docs_example("python")?);
    let mut python = Command::new(&library.program);
    python.args(["-c", &code]);
    check_ping_is_accepted(python, &scene).await?;
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[expect(
    clippy::disallowed_methods,
    reason = "the example is a program of a sender, outside of this workspace"
)]
async fn the_rust_example_of_the_docs_is_accepted() -> anyhow::Result<()> {
    let scene = Scene::new(&[]).await?;
    let (client, url, secret) = (client(), scene.url(), SECRET);
    // The following lines are those of the example.
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
        lines(include_str!("interop.rs")).contains(&lines(&docs_example("rust")?)),
        "docs/webhooks.md has another example"
    );
    scene.end().await;
    Ok(())
}
