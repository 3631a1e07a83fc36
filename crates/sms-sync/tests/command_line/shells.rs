//! Completions and man pages.

use std::{collections::BTreeSet, fs, process::Command};

use super::sms_sync;

#[test]
fn bash_completes_commands_and_words() {
    let script = sms_sync(&["completions", "bash"]).output().expect("it runs").stdout;
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("sms-sync.bash");
    fs::write(&file, &script).expect("a file");
    let script = String::from_utf8(script).expect("text");
    let function = script.split(" -F ").nth(1).and_then(|rest| rest.split(' ').next()).expect("a function");
    for (words, completed) in [
        ("sms-sync dead-l", "dead-letters"),
        ("sms-sync history --state completed_", "completed_with_errors"),
        ("sms-sync records timeline ve", "vessel"),
    ] {
        let words: Vec<&str> = words.split(' ').collect();
        let line = format!(
            "source {}; COMP_WORDS=({}); COMP_CWORD={}; {function} sms-sync '{}' '{}'; echo \"${{COMPREPLY[@]}}\"",
            file.display(),
            words.join(" "),
            words.len() - 1,
            words[words.len() - 1],
            words[words.len() - 2],
        );
        let output = Command::new("bash").args(["-c", &line]).output().expect("bash runs");
        let reply = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(reply.split_whitespace().any(|word| word == completed), "{words:?}: {reply:?}");
    }
}

#[test]
fn every_shell_has_a_script() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = sms_sync(&["completions", shell]).output().expect("it runs");
        let script = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && script.contains("dead-letters"), "{shell}");
    }
}

#[test]
fn every_command_has_a_man_page_with_its_options() {
    let directory = tempfile::tempdir().expect("a directory");
    let to = directory.path().join("man1").display().to_string();
    assert!(sms_sync(&["manual", "--to", &to]).status().expect("it runs").success());
    let pages: BTreeSet<String> = fs::read_dir(&to)
        .expect("a directory")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    for page in
        ["sms-sync.1", "sms-sync-trigger.1", "sms-sync-dead-letters-replay.1", "sms-sync-profiles-set.1"]
    {
        assert!(pages.contains(page), "{page}: {pages:?}");
    }
    let main = fs::read_to_string(format!("{to}/sms-sync.1")).expect("a page");
    assert!(main.contains("Exit codes:") && main.contains("API_URL"), "{main}");
    let trigger = fs::read_to_string(format!("{to}/sms-sync-trigger.1")).expect("a page");
    assert!(trigger.contains("dry\\-run"), "{trigger}");
}
