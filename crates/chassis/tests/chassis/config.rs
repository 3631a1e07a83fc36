use std::{collections::BTreeMap, fs, path::PathBuf};

use chassis::config::{
    ConfigProblems, ExposeSecret, Secret, Variable, effective, key_description, load_from, secret_given,
};
use garde::Validate;
use serde::Deserialize;

const DEFAULTS: &str = r#"
[http]
# where to listen
bind = "127.0.0.1:3005"
workers = 2

[database]
# where the tables are,
# as a URL
url = "postgres://localhost/development"
pool_size = 8

[webhook]
secrets = []
key = ""
keys = ""
tolerance_seconds = 300
strict = true
"#;

const VARIABLES: &[Variable] = &[
    Variable::plain("BIND", "http.bind"),
    Variable::secret("DATABASE_URL", "database.url"),
    Variable::secret("WEBHOOK_KEY", "webhook.key"),
    Variable::secrets("WEBHOOK_KEYS", "webhook.keys"),
];

#[derive(Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
struct Config {
    #[garde(dive)]
    http: Http,
    #[garde(dive)]
    database: Database,
    #[garde(dive)]
    webhook: Webhook,
}

#[derive(Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
struct Http {
    #[garde(skip)]
    bind: String,
    #[garde(range(min = 1, max = 64))]
    workers: usize,
}

#[derive(Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
struct Database {
    #[garde(custom(secret_given))]
    url: Secret,
    #[garde(range(min = 1))]
    pool_size: usize,
}

#[derive(Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
struct Webhook {
    #[garde(skip)]
    secrets: Vec<String>,
    #[garde(custom(secret_given))]
    key: Secret,
    #[garde(skip)]
    #[serde(rename = "keys")]
    _keys: Secret,
    #[garde(skip)]
    tolerance_seconds: u64,
    #[garde(skip)]
    strict: bool,
}

fn load(pairs: &[(&str, &str)]) -> Result<Config, ConfigProblems> {
    load_from(DEFAULTS, VARIABLES, &environment(pairs))
}

fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn file(name: &str, text: &str) -> PathBuf {
    let directory = std::env::temp_dir().join(format!("chassis-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    let path = directory.join(name);
    fs::write(&path, text).unwrap();
    path
}

const GOOD: [(&str, &str); 2] =
    [("DATABASE_URL", "postgres://db/sms"), ("WEBHOOK_KEY", "k3y-of-our-own-and-no-default")];

#[test]
fn environment_wins_over_file_and_file_over_defaults() {
    let path = file("wins.toml", "[http]\nbind = 'file:1'\nworkers = 4\n[elsewhere]\nx = 1\n");
    let mut pairs = GOOD.to_vec();
    pairs.extend([
        ("SMS_CONFIG", path.to_str().unwrap()),
        ("BIND", "0.0.0.0:80"),
        ("SMS_DATABASE__POOL_SIZE", "12"),
    ]);
    pairs.extend([("SMS_WEBHOOK__STRICT", "false"), ("SMS_HTTP__WORKERS", ""), ("SMS_OTHER__THING", "1")]);
    let config = load(&pairs).unwrap();
    assert_eq!(config.http.bind, "0.0.0.0:80");
    assert_eq!(config.http.workers, 4, "the empty variable does not count");
    assert_eq!(config.database.pool_size, 12);
    assert_eq!(config.webhook.tolerance_seconds, 300);
    assert!(!config.webhook.strict);
    assert_eq!(config.database.url.expose_secret(), "postgres://db/sms");
}

#[test]
fn list_in_a_variable_is_split_at_its_commas() {
    for (text, parts) in [("a, b", vec!["a", "b"]), ("007", vec!["007"])] {
        let mut pairs = GOOD.to_vec();
        pairs.push(("SMS_WEBHOOK__SECRETS", text));
        assert_eq!(load(&pairs).unwrap().webhook.secrets, parts);
    }
}

#[test]
fn all_mistakes_are_reported_at_once_with_their_remedies() {
    let path = file("wrong.toml", "[http]\nbnid = 'x'\n[webhook]\ntolerance_seconds = 'soon'\n");
    let problems = load(&[
        ("SMS_CONFIG", path.to_str().unwrap()),
        ("DATABASE_URL", "postgres://db/sms"),
        ("DATABASE_URL_FILE", "/run/secrets/db"),
        ("SMS_HTTP__WORKERS", "0"),
        ("SMS_DATABASE__POOL_SIZE", "many"),
        ("SMS_ENV", "developement"),
    ])
    .unwrap_err();
    let text = problems.to_string().replace(path.to_str().unwrap(), "FILE");
    let expected = [
        "DATABASE_URL (database.url) is set and so is DATABASE_URL_FILE: set one of the two",
        "SMS_ENV is \"developement\", should be development or production: set one of the two",
        "`http.bnid` in FILE (http.bnid) is not a known key (known: `bind` or `workers`): mend its name or remove it",
        "SMS_DATABASE__POOL_SIZE (database.pool_size) is string \"many\", should be an integer",
        "`webhook.tolerance_seconds` in FILE (webhook.tolerance_seconds) is string \"soon\", should be an integer",
        "SMS_HTTP__WORKERS (http.workers) lower than 1",
        "WEBHOOK_KEY (webhook.key) is missing: set WEBHOOK_KEY or WEBHOOK_KEY_FILE",
    ];
    for line in expected {
        assert!(text.contains(line), "{line}\nis not in\n{text}");
    }
}

#[test]
fn secret_from_a_file_is_read_and_never_shown() {
    let path = file("secret", "s3cr3t-of-our-own-and-no-default\r\n");
    let pairs = [GOOD[0], ("WEBHOOK_KEY_FILE", path.to_str().unwrap())];
    let config = load(&pairs).unwrap();
    assert_eq!(config.webhook.key.expose_secret(), "s3cr3t-of-our-own-and-no-default");
    assert!(!format!("{config:?}").contains("s3cr3t"));

    let shown = effective(DEFAULTS, VARIABLES, &environment(&pairs)).unwrap();
    assert_eq!(shown["webhook"]["key"], "[redacted]");
    assert_eq!(shown["http"]["bind"], "127.0.0.1:3005");
    assert!(!shown.to_string().contains("s3cr3t") && !shown.to_string().contains("postgres:"));

    let missing = load(&[GOOD[0], ("WEBHOOK_KEY_FILE", "/nowhere")]).unwrap_err().to_string();
    assert!(
        missing.contains("WEBHOOK_KEY (webhook.key) is to be read from /nowhere, which cannot be read"),
        "{missing}"
    );
}

#[test]
fn default_and_placeholder_secrets_are_rejected_in_production() {
    let placeholders = [("WEBHOOK_KEY", "your-webhook-secret")];
    let text = load(&placeholders).unwrap_err().to_string();
    assert!(text.contains("DATABASE_URL (database.url) has a default value that protects nothing"), "{text}");
    assert!(text.contains("WEBHOOK_KEY (webhook.key) has a default value that protects nothing"), "{text}");
    assert!(!text.contains("your-webhook-secret"));
    load(&[placeholders[0], ("SMS_ENV", "development")]).unwrap();
}

#[test]
fn guessable_secrets_are_rejected_in_production_wherever_they_stand() {
    let path = file("guessable", "hunter2\n");
    let long = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    for (name, value, what) in [
        ("WEBHOOK_KEY", "hunter2", "WEBHOOK_KEY (webhook.key) has 7 bytes and can be guessed"),
        ("WEBHOOK_KEY_FILE", path.to_str().unwrap(), "WEBHOOK_KEY_FILE (webhook.key) has 7 bytes"),
        ("WEBHOOK_KEY", long, "WEBHOOK_KEY (webhook.key) has 1 distinct bytes"),
        ("WEBHOOK_KEYS", "old=hunter2", "WEBHOOK_KEYS (webhook.keys) holds \"old\", which has 7 bytes"),
        ("SMS_WEBHOOK__KEYS", "old=hunter2", "SMS_WEBHOOK__KEYS (webhook.keys) holds \"old\""),
        (
            "DATABASE_URL",
            "postgres://sms:change-me@db/sms",
            "DATABASE_URL (database.url) holds a password that has a default",
        ),
        ("DATABASE_URL", "amqp://broker/%2f", "DATABASE_URL (database.url) names no user"),
    ] {
        let mut pairs = GOOD.to_vec();
        pairs.retain(|(other, _)| name != *other && name != format!("{other}_FILE"));
        pairs.push((name, value));
        let text = load(&pairs).unwrap_err().to_string();
        assert!(text.contains(what), "{text}");
        for secret in ["hunter2", long, "change-me@"] {
            assert!(!text.contains(secret), "{text}");
        }
        pairs.push(("SMS_ENV", "development"));
        load(&pairs).unwrap();
    }
}

#[test]
fn missing_or_malformed_file_is_a_problem() {
    let path = file("broken.toml", "[http\n");
    for (path, what) in [("/nowhere.toml", "cannot be read"), (path.to_str().unwrap(), "is not TOML")] {
        let mut pairs = GOOD.to_vec();
        pairs.push(("SMS_CONFIG", path));
        let text = load(&pairs).unwrap_err().to_string();
        assert!(text.contains(what), "{text}");
    }
}

#[test]
fn key_description_is_the_comment_above_the_key() {
    assert_eq!(key_description(DEFAULTS, "database.url").as_deref(), Some("where the tables are, as a URL"));
    assert_eq!(key_description(DEFAULTS, "http.workers"), None);
}
