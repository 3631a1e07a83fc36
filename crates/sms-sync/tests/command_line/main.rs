//! The program as operators run it: its output, its exit code, and how long it takes.

mod exit_codes;
mod lists;
mod profiles;
mod shells;

use std::{
    io::Read,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// A text that would clear the screen, write a line of its own, and turn the rest around.
const HOSTILE: &str = "x\u{1b}[2J\u{9b}31m\r\nok everything is fine\u{202e}";

fn sms_sync(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sms-sync"));
    command.args(arguments).env_clear().stdin(Stdio::null());
    command
}

/// Runs a command off the runtime, so that the test can answer it.
async fn run(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().expect("the program runs")).await.expect("no panic")
}

/// A server that gives one answer and returns what it was sent.
async fn answer_once(listener: TcpListener, status: &str, body: String) -> String {
    answer(&listener, status, body).await
}

/// Gives one answer and returns what was sent.
async fn answer(listener: &TcpListener, status: &str, body: String) -> String {
    let (mut connection, _) = listener.accept().await.expect("a request");
    let mut request = Vec::new();
    // The requests of these tests fit into one read of the head, and bodies do not matter.
    while !request.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
        let mut buffer = [0; 8192];
        let read = connection.read(&mut buffer).await.expect("a request");
        assert_ne!(read, 0, "the request was cut");
        request.extend_from_slice(&buffer[..read]);
    }
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    connection.write_all(answer.as_bytes()).await.expect("the answer is sent");
    connection.shutdown().await.ok();
    String::from_utf8_lossy(&request).to_lowercase()
}

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    (listener, url)
}

fn dead_letters() -> String {
    let letter = json!({
        "id": "019ab2c4-0000-7000-8000-000000000001", "syncId": null, "queue": HOSTILE, "messageId": HOSTILE,
        "kind": HOSTILE, "class": "permanent", "reason": HOSTILE, "fingerprint": HOSTILE, "state": "dead",
        "attempts": 1, "replays": 0, "diedAt": "2026-11-27T12:00:00Z", "replayedAt": null, "succeededAt": null,
        "traceId": null, "replayOf": null
    });
    json!({"data": [letter], "pagination": {"limit": 20, "offset": 0, "total": 1}}).to_string()
}

#[test]
fn closed_pipe_ends_the_output_quietly() {
    for arguments in [&["config", "defaults"][..], &["openapi"], &["config", "print", "--output", "json"]] {
        let mut command = sms_sync(arguments);
        // Without them the config is incomplete.
        command.env("SMS_ENV", "development");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
        drop(child.stdout.take());
        let mut complaint = String::new();
        child.stderr.take().expect("a pipe").read_to_string(&mut complaint).expect("text");
        let status = child.wait().expect("it ends");
        assert!(!complaint.contains("panicked"), "{arguments:?}: {complaint}");
        if arguments[1..] != ["print", "--output", "json"] {
            assert_eq!((status.code(), complaint.as_str()), (Some(0), ""), "{arguments:?}");
        }
    }
}

#[test]
fn full_disk_is_an_error_and_no_panic() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    let output = sms_sync(&["openapi"]).stdout(full).stderr(Stdio::piped()).output().expect("it runs");
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{complaint}");
    assert!(complaint.starts_with("error: cannot write to standard output: "), "{complaint}");
}

#[tokio::test(flavor = "multi_thread")]
async fn text_of_others_reaches_the_terminal_as_visible_characters_on_its_line() {
    for format in ["table", "json"] {
        let (listener, url) = listener().await;
        let answering = tokio::spawn(answer_once(listener, "200 OK", dead_letters()));
        let output = run(sms_sync(&["dead-letters", "list", "--output", format, "--url", &url])).await;
        answering.await.expect("it was asked");
        let printed = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(output.status.success(), "{printed} {}", String::from_utf8_lossy(&output.stderr));
        let unsafe_characters = printed
            .chars()
            .filter(|c| (c.is_control() && *c != '\n') || ('\u{202a}'..='\u{202e}').contains(c));
        assert_eq!(unsafe_characters.collect::<String>(), "", "{printed}");
        assert!(!printed.lines().any(|line| line.starts_with("ok everything")), "{printed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn problem_of_another_server_reaches_the_terminal_as_visible_characters_on_its_line() {
    let (listener, url) = listener().await;
    let problem = json!({"type": "about:blank", "title": HOSTILE, "status": 422, "code": HOSTILE, "detail": HOSTILE,
        "errors": [{"pointer": HOSTILE, "detail": HOSTILE, "code": HOSTILE}]});
    let answering = tokio::spawn(answer_once(listener, "422 Unprocessable Content", problem.to_string()));
    let output = run(sms_sync(&["history", "--url", &url])).await;
    answering.await.expect("it was asked");
    let printed = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(!printed.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{printed:?}");
    assert!(!printed.lines().any(|line| line.starts_with("ok everything")), "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn webhook_send_keeps_the_token_to_itself() {
    let (listener, url) = listener().await;
    let answering = tokio::spawn(answer_once(
        listener,
        "202 Accepted",
        json!({"eventId": "e", "duplicate": false}).to_string(),
    ));
    let mut command = sms_sync(&["webhook", "send", "--url", &url]);
    command.env("OPERATOR_TOKEN", "sesame").env("WEBHOOK_SECRET", "a secret of thirty-two characters");
    let output = run(command).await;
    let request = answering.await.expect("it was asked");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(request.contains("webhook-signature:"), "{request}");
    assert!(!request.contains("authorization") && !request.contains("sesame"), "{request}");
}

#[tokio::test(flavor = "multi_thread")]
async fn migrate_without_a_usable_server_fails_within_seconds_and_says_why() -> anyhow::Result<()> {
    let world = testbed::World::empty().await?;
    let (silent, url) = listener().await;
    let wrong_password = {
        let (scheme, rest) = world.database_url.split_once("://").expect("a URL");
        let (user, server) = rest.split_once('@').expect("with credentials");
        format!("{scheme}://{}:wrong@{server}", user.split(':').next().unwrap_or_default())
    };
    let silent_server = url.replace("http://", "postgres://sms:sms@") + "/sms";
    for (database, reason) in [
        (wrong_password, "password authentication failed"),
        ("postgres://sms:sms@127.0.0.1:9/sms".to_owned(), "refused"),
        (silent_server, "cannot connect"),
    ] {
        let began = Instant::now();
        let mut command = sms_sync(&["migrate"]);
        command.env("DATABASE_URL", &database).env("SMS_ENV", "development");
        let output = tokio::time::timeout(Duration::from_secs(60), run(command)).await?;
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{complaint}");
        assert!(complaint.contains(reason), "{complaint}");
        assert!(began.elapsed() < Duration::from_secs(15), "{reason}: {:?}", began.elapsed());
    }
    drop(silent);
    Ok(())
}

#[test]
fn token_for_longer_than_the_services_accept_is_refused() {
    let token = |ttl: &str, hours: &str| {
        let mut command = sms_sync(&["token", "--subject", "anna", "--ttl", ttl, "--output", "json"]);
        command.env("OPERATOR_JWT_SECRET", "0123456789abcdef0123456789abcdef").env("SMS_ENV", "development");
        command.env("OPERATOR_TOKEN_MAX_LIFETIME_HOURS", hours).output().expect("it runs")
    };
    let refused = token("169h", "168");
    assert_eq!(refused.status.code(), Some(1));
    let complaint = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(complaint, "error: a token may be valid for 168 hours at most\n");
    let minted: serde_json::Value = serde_json::from_slice(&token("169h", "200").stdout).expect("JSON");
    assert!(minted["tokenId"].is_string(), "{minted}");
}

#[test]
fn token_takes_its_secret_from_a_file_and_refuses_one_that_protects_nothing() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("secret");
    let mint = |secret: &str, environment: &str| {
        std::fs::write(&path, format!("{secret}\n"))?;
        let mut command = sms_sync(&["token", "--subject", "anna"]);
        command.env("OPERATOR_JWT_SECRET_FILE", &path).env("SMS_ENV", environment);
        anyhow::Ok(command.output()?)
    };
    let published = "development-operator-token-secret-of-48-bytes-00";
    let refused = mint(published, "production")?;
    assert_eq!(refused.status.code(), Some(1));
    let complaint = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(complaint.starts_with("error: OPERATOR_JWT_SECRET "), "{complaint}");
    assert!(mint(published, "development")?.status.success());
    assert!(mint("Zk3qV9x1Tt7sB5nW8cR2yD6uH4jL0pQe", "production")?.status.success());

    let mut both = sms_sync(&["token", "--subject", "anna"]);
    both.env("OPERATOR_JWT_SECRET_FILE", &path).env("OPERATOR_JWT_SECRET", published);
    let complaint = String::from_utf8_lossy(&both.output()?.stderr).into_owned();
    assert!(complaint.contains("set one of the two"), "{complaint}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn migrate_gives_a_services_role_its_login_and_nobody_elses() -> anyhow::Result<()> {
    chassis::install_tls();
    let world = testbed::World::empty().await?;
    store::Store::connect(&world.database_url, 2).await?.migrate().await?;
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("url");
    let migrate = async |service_url: &str| {
        std::fs::write(&file, service_url)?;
        let mut command = sms_sync(&["migrate", "--login", &file.display().to_string()]);
        command.env("DATABASE_URL", &world.database_url).env("SMS_ENV", "production");
        let output = run(command).await;
        anyhow::Ok((output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned()))
    };
    for (url, reason) in [
        ("postgres://postgres:Zk3qV9x1Tt7sB5nW@db/sms", "is not the role of a service"),
        ("postgres://sms_worker:development@db/sms", "holds a password"),
        ("postgres://sms_worker@db/sms", "no password"),
        ("worker", "url"),
    ] {
        let (code, complaint) = migrate(url).await?;
        assert_eq!(code, Some(1), "{complaint}");
        assert!(complaint.contains(reason) && complaint.contains("/url: "), "{complaint}");
    }
    let mut weak = sms_sync(&["migrate"]);
    weak.env("DATABASE_URL", "postgres://sms:development@127.0.0.1:9/sms").env("SMS_ENV", "production");
    let complaint = String::from_utf8_lossy(&run(weak).await.stderr).into_owned();
    assert!(complaint.starts_with("error: DATABASE_URL holds a password"), "{complaint}");
    // Roles belong to the whole server: the tests' own password stays in force for those that run beside.
    let role_url = world.database_url_of("sms_worker").await?;
    let (code, complaint) = migrate(&role_url).await?;
    assert_eq!(code, Some(0), "{complaint}");
    assert!(store::Store::lazy(&role_url, 1)?.reach().await.is_ok());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_verify_proves_the_chain_and_names_the_first_broken_row() {
    chassis::install_tls();
    let world = testbed::World::empty().await.expect("a database");
    store::Store::connect(&world.database_url, 2).await.expect("a pool").migrate().await.expect("migrated");
    for _ in 0..3 {
        let append =
            "INSERT INTO audit (at, actor, action, subject) VALUES (now(), 'anna', 'sync.cancel', 'x')";
        world.execute(append).await.expect("a row");
    }
    let verify = async |more: &[&str]| {
        let mut command = sms_sync(&[&["audit", "verify"], more].concat());
        command.env("DATABASE_URL", &world.database_url);
        let output = run(command).await;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code(), text + &String::from_utf8_lossy(&output.stderr))
    };
    let (code, text) = verify(&[]).await;
    assert_eq!(code, Some(0), "{text}");
    assert!(text.starts_with("the audit log is intact: 3 rows, positions 1 to 3"), "{text}");
    let place = text.trim().rsplit(' ').next().expect("a place").to_owned();
    assert_eq!(verify(&["--expect", &place]).await.0, Some(0));
    let other = format!("2:{}", place.split_once(':').expect("a hash").1);
    let (code, text) = verify(&["--expect", &other]).await;
    assert_eq!((code, text.contains("position 2 has another hash")), (Some(1), true), "{text}");
    assert_eq!(verify(&["--expect", "2:xyz"]).await.0, Some(2));

    for sql in ["ALTER TABLE audit DISABLE TRIGGER USER", "UPDATE audit SET actor = 'eve' WHERE position = 2"]
    {
        world.execute(sql).await.expect("the owner may");
    }
    let (code, text) = verify(&[]).await;
    assert_eq!((code, text.trim()), (Some(1), "the audit log is broken: row 2, at position 2, was changed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn search_and_records_ask_the_api_and_print_what_it_answers() {
    let hit = json!({"id": HOSTILE, "title": "Nordhavn Orion · IMO 9867607", "subtitle": null, "matched": "imoNumber",
        "standing": "active", "link": "/api/sync/records/vessel/v-1"});
    let result = json!({"query": "986", "cutShort": true, "groups": [
        {"kind": "vessel", "hits": [hit], "more": true, "cutShort": false},
        {"kind": "sync", "hits": [], "more": false, "cutShort": true}]});
    let entry = json!({"at": "2026-11-27T12:00:00Z", "kind": "updated", "summary": "A sync changed name.",
        "syncId": "019ab2c4-0000-7000-8000-000000000001", "detail": {}});
    let timeline = json!({"recordType": "vessel", "sourceId": "skip/é", "entries": [entry],
        "pagination": {"limit": 20, "offset": 0, "total": 7}, "keptSince": {"syncs": "2026-11-01T00:00:00Z"}});
    for (arguments, body, requested, printed) in [
        (
            &["search", "IMO 986"][..],
            &result,
            "get /api/search?q=imo+986 ",
            &[
                "Nordhavn Orion · IMO 9867607",
                "more hits of the kind vessel",
                "search for sync was cut short",
            ][..],
        ),
        (
            &["records", "timeline", "vessel", "skip/é"],
            &timeline,
            "get /api/sync/records/vessel/skip%2f%c3%a9/timeline?limit=20&offset=0 ",
            &["A sync changed name.", "1 of 7", "syncs 2026-11-01 00:00:00 UTC, webhook events none"],
        ),
    ] {
        let (listener, url) = listener().await;
        let answering = tokio::spawn(answer_once(listener, "200 OK", body.to_string()));
        let output = run(sms_sync(&[arguments, &["--url", &url]].concat())).await;
        let request = answering.await.expect("it was asked");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(output.status.success(), "{text} {}", String::from_utf8_lossy(&output.stderr));
        assert!(request.starts_with(requested), "{request}");
        for part in printed {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{text:?}");
    }
}
