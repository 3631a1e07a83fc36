//! `.env.example` documents every environment variable that the programs understand, with its default, and no other.
//!
//! The programs themselves are asked: `config print` shows every key with its default, and `--help` names the variables
//! that have a name of their own. Which key such a variable sets is found by setting it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

use serde_json::Value;

const SERVICES: [&str; 5] = ["webhook-ingest", "scheduler", "worker", "status", "onboarding-portal"];
const COMMAND_LINE: &str = "sms-sync";
const COMPOSE_FILE: &str = "docker-compose.yml";
/// The section of `.env.example` for variables that several programs understand with the same default.
const SHARED: &str = "several programs";
/// Variables for tests, which no operator sets.
const FOR_TESTS: [&str; 1] = ["SMS_WORKER_PAUSE_AT"];

#[test]
fn variables_of_a_service_are_documented_with_its_defaults() {
    let documented = Documentation::read();
    let mut problems = Vec::new();
    for service in SERVICES {
        for (name, variable) in variables(service) {
            let entries = documented.for_program(service, &name);
            match (entries.as_slice(), &variable.default) {
                ([], _) => problems.push(format!("{service}: {name} is not documented")),
                ([entry], Some(default)) if entry.value != *default => problems
                    .push(format!("{service}: {name} is {default:?} by default, not {:?}", entry.value)),
                ([_], _) => {}
                _ => problems.push(format!("{service}: {name} is documented twice")),
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn documented_variables_are_understood_by_the_program_of_their_section() {
    let by_service: BTreeMap<_, _> = SERVICES.map(|service| (service, variables(service))).into();
    let by_command_line = command_line_variables();
    let in_compose_file = compose_variables();
    let in_sources = variables_read_in_sources();
    let understood = |section: &str, name: &str| match section {
        SHARED => by_service.values().any(|all| all.contains_key(name)) || in_sources.contains(name),
        COMMAND_LINE => by_command_line.contains_key(name),
        COMPOSE_FILE => in_compose_file.contains_key(name),
        service => by_service.get(service).is_some_and(|all| all.contains_key(name)),
    };
    let problems: Vec<_> = Documentation::read()
        .entries
        .iter()
        .filter(|entry| !understood(&entry.section, &entry.name))
        .map(|entry| format!("{} is documented for {} and unknown there", entry.name, entry.section))
        .collect();
    assert_none(&problems);
}

#[test]
fn documented_variables_have_a_comment() {
    let documented = Documentation::read();
    let silent = documented.entries.iter().filter(|entry| entry.comment.is_empty());
    assert_none(&silent.map(|entry| format!("{} has no comment", entry.name)).collect::<Vec<_>>());
}

#[test]
fn variables_that_may_come_from_a_file_are_documented_as_secret() {
    let documented = Documentation::read();
    let mut problems = Vec::new();
    for service in SERVICES {
        for (name, variable) in variables(service) {
            for entry in documented.for_program(service, &name) {
                let says_secret = entry.comment.to_lowercase().contains("secret.");
                if variable.secret && !says_secret {
                    problems
                        .push(format!("{service}: the comment of {name} must end a sentence with `secret.`"));
                }
                if says_secret && !variable.secret {
                    problems.push(format!("{service}: {name} is no secret: {name}_FILE is not understood"));
                }
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn variables_of_the_command_line_are_documented_with_their_defaults() {
    let documented = Documentation::read();
    let mut problems = Vec::new();
    for (name, default) in command_line_variables() {
        let entries: Vec<_> = documented.entries.iter().filter(|entry| entry.name == name).collect();
        if entries.is_empty() {
            problems.push(format!("{name} is not documented"));
        }
        if let Some(default) = default
            && entries.iter().any(|entry| entry.value != default)
        {
            problems.push(format!("{name} is {default:?} by default"));
        }
    }
    assert_none(&problems);
}

#[test]
fn variables_of_the_compose_file_are_documented_with_their_defaults() {
    let documented = Documentation::read();
    let mut problems = Vec::new();
    for (name, default) in compose_variables() {
        let entries: Vec<_> = documented.entries.iter().filter(|entry| entry.name == name).collect();
        if entries.is_empty() {
            problems.push(format!("{name} is not documented"));
        }
        // Elsewhere the default of the programs stands.
        if entries.iter().any(|entry| entry.section == COMPOSE_FILE && entry.value != default) {
            problems.push(format!("{name} is {default:?} by default"));
        }
    }
    assert_none(&problems);
}

#[test]
fn variables_read_in_the_sources_are_documented() {
    let documented = Documentation::read();
    let names: BTreeSet<_> = documented.entries.iter().map(|entry| entry.name.as_str()).collect();
    let problems: Vec<_> = variables_read_in_sources()
        .into_iter()
        .filter(|name| {
            let name = name.strip_suffix("_FILE").unwrap_or(name);
            !names.contains(name) && !FOR_TESTS.contains(&name)
        })
        .collect();
    assert_none(&problems);
}

#[test]
fn page_of_the_documentation_is_the_example_file() {
    let path = testbed::workspace_root().join("docs/configuration.md");
    let page = page(&Documentation::read());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &page).expect("the page can be written");
    }
    let written = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(written, page, "UPDATE_DOCS=1 makes the page anew");
}

/// A table for each section of `.env.example`.
fn page(documented: &Documentation) -> String {
    let mut page = "# Configuration

Every environment variable of the services, of the command line and of `docker-compose.yml`. A secret may come from a file instead:
`NAME_FILE` holds the file's path. `SMS_<SECTION>__<KEY>` is the key `<key>` in the section `[<section>]` of the TOML file that
`SMS_CONFIG` names; `<service> config defaults` prints that file with every key, and `sms-sync config check` reads what is set now.
What is wrong is printed at the start, all at once. Of a variable that is required an example stands in the place of its default.

This page is made from `.env.example`, which a test compares with what the programs say about themselves:
`UPDATE_DOCS=1 cargo test --workspace --test environment`.
"
    .to_owned();
    let mut section = "";
    for entry in &documented.entries {
        if entry.section != section {
            section = &entry.section;
            let title =
                if section == SHARED { "Several programs".to_owned() } else { format!("`{section}`") };
            page.push_str(&format!("\n## {title}\n\n| variable | default | what it is |\n|---|---|---|\n"));
        }
        let default = if entry.value.is_empty() { String::new() } else { format!("`{}`", entry.value) };
        let meaning = entry.comment.replace('|', "\\|").replace('<', "&lt;");
        page.push_str(&format!("| `{}` | {default} | {meaning} |\n", entry.name));
    }
    page
}

fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), ".env.example:\n  {}", problems.join("\n  "));
}

// ------------------------------------------------------------------------------------------------- `.env.example`

/// One commented assignment.
struct Entry {
    section: String,
    /// The comment lines right above, as one line.
    comment: String,
    name: String,
    value: String,
}

struct Documentation {
    entries: Vec<Entry>,
}

impl Documentation {
    fn read() -> Self {
        let text = read(".env.example");
        let mut section = String::new();
        let mut comment = Vec::new();
        let mut entries = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            if let Some(name) = line.strip_prefix("# ==== ") {
                name.clone_into(&mut section);
            } else if let Some((name, value)) = assignment(line) {
                entries.push(Entry {
                    section: section.clone(),
                    comment: std::mem::take(&mut comment).join(" "),
                    name: name.to_owned(),
                    value: value.to_owned(),
                });
            } else if let Some(words) = line.strip_prefix("# ") {
                comment.push(words);
            } else {
                assert!(matches!(line, "" | "#"), ".env.example:{number}: {line:?} is no comment");
                comment.clear();
            }
        }
        assert!(!entries.is_empty(), ".env.example has no assignment of the shape #NAME=value");
        Self { entries }
    }

    /// What an operator of `program` finds about `name`: in the program's section and in the shared one.
    fn for_program(&self, program: &str, name: &str) -> Vec<&Entry> {
        let applies = |entry: &&Entry| entry.section == program || entry.section == SHARED;
        self.entries.iter().filter(applies).filter(|entry| entry.name == name).collect()
    }
}

fn assignment(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix('#')?.split_once('=').filter(|(name, _)| is_variable_name(name))
}

fn is_variable_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_uppercase())
        && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

// ---------------------------------------------------------------------------------------------------- the programs

/// A variable of a service, by what the service says.
struct Variable {
    /// Nothing where the default is empty, or where the service does not print it.
    default: Option<String>,
    /// Whether `NAME_FILE` sets the same key.
    secret: bool,
}

/// The variables of a service: those with a name of their own, and `SMS_<SECTION>__<KEY>` for every key that has none.
fn variables(service: &str) -> BTreeMap<String, Variable> {
    let defaults = configuration(service, None).expect("`config print` needs no environment");
    let mut keys = defaults.clone();
    let mut variables = BTreeMap::new();
    for name in names_in_help(service) {
        let key = key_set_by(service, &name, &defaults);
        let default = key.as_ref().and_then(|key| keys.remove(key)).filter(|default| !default.is_empty());
        let secret = key.is_some() && key_set_by(service, &format!("{name}_FILE"), &defaults) == key;
        variables.insert(name, Variable { default, secret });
    }
    for (key, default) in keys {
        let name = format!("SMS_{}", key.to_uppercase().replace('.', "__"));
        let default = Some(default).filter(|default| !default.is_empty());
        variables.insert(name, Variable { default, secret: false });
    }
    variables
}

/// What `config print` says, by key, with one variable set; nothing where the service refuses the variable's value.
fn configuration(service: &str, variable: Option<(&str, &str)>) -> Option<BTreeMap<String, String>> {
    let mut command = program(service);
    command.args(["config", "print"]).envs(variable);
    let output = command.output().expect("the program starts");
    if !output.status.success() {
        return None;
    }
    let tree: Value = serde_json::from_slice(&output.stdout).expect("`config print` is JSON");
    let mut flat = BTreeMap::new();
    flatten("", &tree, &mut flat);
    Some(flat)
}

fn flatten(key: &str, value: &Value, into: &mut BTreeMap<String, String>) {
    let text = match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                flatten(&key, value, into);
            }
            return;
        }
        Value::Array(values) => values.iter().map(as_text).collect::<Vec<_>>().join(","),
        value => as_text(value),
    };
    into.insert(key.to_owned(), text);
}

fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The key that `name` sets. As a value it gets the path of a file, which a `NAME_FILE` can read.
fn key_set_by(service: &str, name: &str, defaults: &BTreeMap<String, String>) -> Option<String> {
    let value = testbed::workspace_root().join("rust-toolchain.toml");
    let changed = configuration(service, Some((name, value.to_str()?)))?;
    changed.into_iter().find(|(key, value)| defaults.get(key) != Some(value)).map(|(key, _)| key)
}

/// Names at the beginnings of the lines of `--help`.
fn names_in_help(service: &str) -> BTreeSet<String> {
    let help = help(service, &[]);
    let first_words = help.lines().filter_map(|line| line.split_whitespace().next());
    first_words
        .filter(|word| is_variable_name(word) && word.contains('_') || *word == "BIND")
        .map(str::to_owned)
        .collect()
}

/// The variables of all commands of `sms-sync`, each with the default of its option.
fn command_line_variables() -> BTreeMap<String, Option<String>> {
    let mut variables = BTreeMap::new();
    let mut commands = vec![Vec::new()];
    while let Some(command) = commands.pop() {
        let help = help(COMMAND_LINE, &command);
        for line in help.lines() {
            if let Some(name) = between(line, "[env: ", &['=', ']']) {
                variables.insert(name.to_owned(), between(line, "[default: ", &[']']).map(str::to_owned));
            }
        }
        let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
        for line in listed.take_while(|line| line.starts_with("  ")) {
            // Deeper lines go on with a description.
            let name = line.strip_prefix("  ").filter(|rest| !rest.starts_with(' '));
            let name = name.and_then(|rest| rest.split_whitespace().next()).filter(|name| *name != "help");
            commands.extend(name.map(|name| [command.as_slice(), &[name.to_owned()]].concat()));
        }
    }
    variables
}

fn help(name: &str, command: &[String]) -> String {
    let output = program(name).args(command).arg("-h").output().expect("the program starts");
    assert!(output.status.success(), "{name} {command:?} -h: {}", output.status);
    String::from_utf8(output.stdout).expect("help is text")
}

/// A program of ours, with an empty environment.
fn program(name: &str) -> Command {
    let mut command = Command::new(testbed::binary(name).expect("the program is built"));
    command.env_clear();
    command
}

// ------------------------------------------------------------------------------------------------------- the files

/// `${NAME:-default}` in the compose file.
fn compose_variables() -> BTreeMap<String, String> {
    let text = read(COMPOSE_FILE);
    let uses = text.split("${").skip(1).filter_map(|rest| rest.split_once('}')).map(|(inside, _)| inside);
    uses.map(|inside| inside.split_once(":-").unwrap_or((inside, "")))
        .map(|(name, default)| (name.to_owned(), default.to_owned()))
        .collect()
}

/// What our programs read from the environment by themselves, by the literals in their sources.
fn variables_read_in_sources() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let crates = fs::read_dir(testbed::workspace_root().join("crates")).expect("there are crates");
    for of_crate in crates.map(|entry| entry.expect("a directory can be read")) {
        if !["testbed", "e2e"].contains(&of_crate.file_name().to_string_lossy().as_ref()) {
            collect_names(&of_crate.path().join("src"), &mut names);
        }
    }
    names
}

fn collect_names(directory: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(directory).expect("a crate has sources") {
        let path = entry.expect("a directory can be read").path();
        if path.is_dir() {
            collect_names(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("sources are text");
            for start in ["env::var(\"", "env::var_os(\""] {
                names.extend(text.split(start).skip(1).filter_map(up_to_quote));
            }
            let opentelemetry = text.split('"').filter(|literal| literal.starts_with("OTEL_"));
            names.extend(opentelemetry.filter(|literal| is_variable_name(literal)).map(str::to_owned));
        }
    }
}

fn up_to_quote(text: &str) -> Option<String> {
    text.split('"').next().filter(|name| is_variable_name(name)).map(str::to_owned)
}

fn between<'a>(text: &'a str, start: &str, ends: &[char]) -> Option<&'a str> {
    text.split_once(start)?.1.split(ends).next()
}

fn read(path: &str) -> String {
    fs::read_to_string(testbed::workspace_root().join(path)).expect("the file is there")
}
