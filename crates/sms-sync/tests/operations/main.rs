//! Every operation of the operator API has a command, every command prints what the API's document says it may get, and every
//! table fits its terminal.

mod api;
mod commands;

use std::{
    collections::{BTreeMap, BTreeSet},
    process::{Command, Output, Stdio},
};

use self::{
    api::Api,
    commands::{COMMANDS, LISTS, OFFLINE},
};

/// Operations without a command of their own, and why.
const EXCEPTIONS: [(&str, &str); 5] = [
    ("getSession", "sessions are for browsers: a command sends its token each time"),
    ("beginSession", "see getSession"),
    ("endSession", "see getSession"),
    ("replayDeadLetter", "`dead-letters replay ID` replays in bulk, which counts first and keeps a reason"),
    (
        "reprocessWebhook",
        "`webhooks reprocess ID` reprocesses in bulk, which counts first and keeps a reason",
    ),
];

/// How lines begin that stand beside tables, and that a terminal wraps by itself.
const PROSE: [&str; 8] = [
    "019ab2c4-0000-7000-8000-000000000001 ",
    "kept since: ",
    "there are more hits ",
    "the search for ",
    "counted until ",
    "findings: ",
    "failed attempts: ",
    "most syncs: ",
];

fn sms_sync(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sms-sync"));
    command.args(arguments).env_clear().stdin(Stdio::null());
    command
}

/// Runs a line of arguments against the API, in a directory with the files that some of them name.
async fn run(api: &Api, line: &str, environment: &[(&'static str, String)]) -> Output {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("rules.json"), r#"{"rules": []}"#).expect("a file");
    let mut command = sms_sync(&line.split(' ').collect::<Vec<_>>());
    command.current_dir(directory.path()).env("API_URL", &api.url).env("OPERATOR_TOKEN", "sesame");
    command.env("WEBHOOK_SECRET", "a secret of thirty-two characters").envs(environment.iter().cloned());
    let output = tokio::task::spawn_blocking(move || command.output().expect("the program runs")).await;
    drop(directory);
    output.expect("no panic")
}

fn complaint(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_of_the_api_has_a_command() {
    let api = Api::start().await;
    for line in COMMANDS.iter().chain(LISTS) {
        let output = run(&api, line, &[]).await;
        assert!(output.status.success(), "{line}: {}", complaint(&output));
    }
    let (asked, known) = (api.asked(), api.operations());
    let excepted: BTreeSet<String> = EXCEPTIONS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let missing: Vec<_> = known.iter().filter(|it| !asked.contains(*it) && !excepted.contains(*it)).collect();
    assert!(missing.is_empty(), "operations without a command: {missing:?}");
    let needless: Vec<_> = excepted.iter().filter(|it| asked.contains(*it) || !known.contains(*it)).collect();
    assert!(needless.is_empty(), "exceptions that are none: {needless:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_is_json_and_a_json_object_on_each_line() {
    let api = Api::start().await;
    for line in LISTS {
        let output = run(&api, &format!("{line} --output json"), &[]).await;
        let whole: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        assert!(whole.is_object(), "{line}: {}", complaint(&output));
        let output = run(&api, &format!("{line} --output ndjson"), &[]).await;
        let lines = String::from_utf8(output.stdout).expect("text");
        assert!(!lines.is_empty(), "{line}");
        for entry in lines.lines() {
            let entry: serde_json::Value = serde_json::from_str(entry).unwrap_or_default();
            assert!(entry.is_object(), "{line}: {lines}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_line_of_a_list_is_wider_than_the_terminal() {
    let api = Api::start().await;
    let is_prose = |line: &str| PROSE.iter().any(|start| line.starts_with(start));
    let mut problems = BTreeMap::new();
    for line in LISTS {
        for width in [60_usize, 80, 120] {
            let output = run(&api, line, &[("COLUMNS", width.to_string())]).await;
            let text = String::from_utf8(output.stdout).expect("text");
            if text.lines().any(|it| it.chars().count() > width && !is_prose(it)) {
                problems.insert((line, width), text);
            }
        }
    }
    let texts: Vec<_> =
        problems.iter().map(|((line, width), text)| format!("{line}: {width}\n{text}")).collect();
    assert!(texts.is_empty(), "{}", texts.join("\n"));
}

/// The commands that have no commands below them, by their `--help`.
fn leaves(path: &[String], leaves: &mut BTreeSet<String>) {
    let words: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
    let help = String::from_utf8(sms_sync(&words).output().expect("the program runs").stdout).expect("text");
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = listed.take_while(|line| line.starts_with("  ")).filter_map(|line| {
        let name = line.strip_prefix("  ").filter(|rest| !rest.starts_with(' '))?;
        name.split_whitespace().next().filter(|name| *name != "help").map(str::to_owned)
    });
    let below: Vec<Vec<String>> = names.map(|name| [path, &[name]].concat()).collect();
    if below.is_empty() {
        leaves.insert(path.join(" "));
    }
    below.iter().for_each(|path| self::leaves(path, leaves));
}

#[test]
fn every_command_is_tried_or_asks_no_api() {
    let mut all = BTreeSet::new();
    leaves(&[], &mut all);
    let tried = |leaf: &String| {
        let is_it = |line: &&str| {
            line.strip_prefix(leaf.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        COMMANDS.iter().chain(LISTS).any(is_it)
    };
    let untried: Vec<_> = all.iter().filter(|it| !tried(it) && !OFFLINE.contains(&it.as_str())).collect();
    assert!(untried.is_empty(), "commands without a line in commands.rs: {untried:?}");
    let gone: Vec<_> = OFFLINE.iter().filter(|it| !all.contains(**it)).collect();
    assert!(gone.is_empty(), "no commands: {gone:?}");
}
