//! Profiles: systems by name, with tokens that others cannot read.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

use super::{answer_once, listener, run, sms_sync};

fn in_config_of(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = sms_sync(arguments);
    command.env("XDG_CONFIG_HOME", directory);
    command
}

fn with_input(mut command: Command, input: &str) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it runs");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
    child.wait_with_output().expect("it ends")
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// What a server was sent by `whoami`, run in a config directory with more variables.
async fn request_of(directory: &Path, more: &[&str], environment: &[(&str, &str)]) -> String {
    let (listener, url) = listener().await;
    fs::create_dir_all(directory.join("sms-sync")).expect("a directory");
    let config = format!(
        "current = 'north'\n[profiles.north]\nurl = '{url}'\ntoken_command = ['echo', 'of-north']\n[profiles.bare]\nurl = '{url}'\n"
    );
    write_private(&directory.join("sms-sync/config.toml"), &config);
    let answering = tokio::spawn(answer_once(
        listener,
        "200 OK",
        json!({"subject": "anna", "role": "admin", "expiresAt": "2099-01-01T00:00:00Z"}).to_string(),
    ));
    let mut command = in_config_of(directory, &[&["whoami"], more].concat());
    command.envs(environment.iter().map(|(name, value)| (*name, value.replace("{url}", &url))));
    let output = run(command).await;
    assert!(output.status.success(), "{}", text(&output));
    answering.await.expect("it was asked")
}

fn write_private(path: &Path, text: &str) {
    fs::write(path, text).expect("a file");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("its mode");
}

#[test]
fn profile_is_added_shown_used_and_deleted_with_the_token_it_kept() {
    let directory = tempfile::tempdir().expect("a directory");
    let set = ["profiles", "set", "north", "--url", "https://north.example", "--token-stdin"];
    let output = with_input(in_config_of(directory.path(), &set), "sesame\n");
    assert!(output.status.success() && text(&output).contains("north, in use"), "{}", text(&output));
    let token = directory.path().join("sms-sync/tokens/north");
    assert_eq!(fs::read_to_string(&token).expect("it is kept"), "sesame");
    for file in [&token, &directory.path().join("sms-sync/config.toml")] {
        assert_eq!(
            fs::metadata(file).expect("a file").permissions().mode() & 0o777,
            0o600,
            "{}",
            file.display()
        );
    }

    let set = ["profiles", "set", "south", "--url", "https://south.example"];
    assert!(in_config_of(directory.path(), &set).status().expect("it runs").success());
    let list =
        in_config_of(directory.path(), &["profiles", "list", "--output", "json"]).output().expect("it runs");
    let list: Value = serde_json::from_slice(&list.stdout).expect("JSON");
    let current = |list: &Value| {
        list["data"].as_array().expect("a list").iter().map(|it| it["current"] == true).collect::<Vec<_>>()
    };
    assert_eq!(current(&list), [true, false], "{list}");
    assert!(!list.to_string().contains("sesame"), "{list}");

    assert!(
        in_config_of(directory.path(), &["profiles", "use", "south"]).status().expect("it runs").success()
    );
    assert!(
        in_config_of(directory.path(), &["profiles", "delete", "north"]).status().expect("it runs").success()
    );
    assert!(!token.exists());
    let gone = in_config_of(directory.path(), &["profiles", "show", "north"]).output().expect("it runs");
    assert_eq!(gone.status.code(), Some(78));
    assert!(text(&gone).contains("there is no profile north (south)"), "{}", text(&gone));
}

#[test]
fn file_that_others_can_read_is_refused_with_what_to_do() {
    let directory = tempfile::tempdir().expect("a directory");
    fs::create_dir_all(directory.path().join("sms-sync")).expect("a directory");
    let (config, token) =
        (directory.path().join("sms-sync/config.toml"), directory.path().join("sms-sync/token"));
    write_private(&config, "[profiles.north]\nurl = 'http://127.0.0.1:9'\ntoken_file = 'token'\n");
    write_private(&token, "sesame");
    for file in [&config, &token] {
        fs::set_permissions(file, fs::Permissions::from_mode(0o640)).expect("its mode");
        let output =
            in_config_of(directory.path(), &["--profile", "north", "history"]).output().expect("it runs");
        assert_eq!(output.status.code(), Some(78), "{}", text(&output));
        assert!(text(&output).contains(&format!("run `chmod 600 {}`", file.display())), "{}", text(&output));
        fs::set_permissions(file, fs::Permissions::from_mode(0o600)).expect("its mode");
    }
    let output =
        in_config_of(directory.path(), &["--profile", "north", "history"]).output().expect("it runs");
    assert_eq!(output.status.code(), Some(69), "nothing answers there: {}", text(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn token_of_a_profile_goes_to_its_own_system_only() {
    let directory = tempfile::tempdir().expect("a directory");
    let token_file = directory.path().join("token");
    fs::write(&token_file, "of-file\n").expect("a file");
    let token_file = token_file.display().to_string();
    for (more, environment, token) in [
        (&[][..], &[][..], "of-north"),
        (&["--profile", "north"], &[("API_URL", "http://127.0.0.1:9")], "of-north"),
        (&[], &[("SMS_SYNC_PROFILE", "bare"), ("OPERATOR_TOKEN", "of-environment")], "of-environment"),
        (&["--token", "of-option"], &[], "of-option"),
        (&[], &[("API_URL", "{url}"), ("OPERATOR_TOKEN", "of-environment")], "of-environment"),
        (&[], &[("API_URL", "{url}"), ("OPERATOR_TOKEN_FILE", &token_file)], "of-file"),
    ] {
        let request = request_of(directory.path(), more, environment).await;
        assert!(
            request.contains(&format!("authorization: bearer {token}\r\n")),
            "{more:?} {environment:?}: {request}"
        );
    }
    let request = request_of(directory.path(), &[], &[("API_URL", "{url}")]).await;
    assert!(!request.contains("authorization"), "{request}");
}

#[test]
fn two_systems_at_once_are_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    for arguments in [&["--url", "http://x", "--profile", "north", "whoami"][..], &["whoami"]] {
        let mut command = in_config_of(directory.path(), arguments);
        if arguments.len() == 1 {
            command.env("API_URL", "http://x").env("SMS_SYNC_PROFILE", "north");
        }
        let output = command.output().expect("it runs");
        assert_eq!(output.status.code(), Some(78), "{}", text(&output));
        assert!(text(&output).contains("leave one of the two out"), "{}", text(&output));
    }
}

#[test]
fn secrets_of_webhooks_come_from_a_file_too() {
    let directory = tempfile::tempdir().expect("a directory");
    let secret = directory.path().join("secret");
    fs::write(&secret, "a secret of thirty-two characters\n").expect("a file");
    let arguments = [
        "webhooks",
        "verify",
        "--id",
        "msg_1",
        "--timestamp",
        "1764000000",
        "--signature",
        "v1,AA==",
        "--any-age",
    ];
    let mut command = sms_sync(&arguments);
    command.env("WEBHOOK_SECRET_FILE", &secret);
    assert!(text(&command.output().expect("it runs")).contains("refused: "));
    command.env("WEBHOOK_SECRET", "another");
    assert!(text(&command.output().expect("it runs")).contains("set one of the two"));
    command.env_remove("WEBHOOK_SECRET").env_remove("WEBHOOK_SECRET_FILE");
    assert!(text(&command.output().expect("it runs")).contains("set WEBHOOK_SECRET or WEBHOOK_SECRET_FILE"));
}
