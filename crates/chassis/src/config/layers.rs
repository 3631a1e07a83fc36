//! The layers above the defaults, as a list of single values that each know their origin.

use std::{collections::BTreeMap, fs};

use ::config::{Config, ConfigError, File, FileFormat, Value, ValueKind};

use super::{endpoint::Endpoint, problems::ConfigProblem, secret_strength::weakness, variable::Variable};

/// One value above the defaults. Later ones win.
#[derive(Debug)]
struct Override {
    key: String,
    value: Value,
    /// In the operator's words: a variable's name, or the file and the key in it.
    origin: String,
}

/// The defaults and everything set above them.
#[derive(Debug)]
pub(super) struct Layers<'a> {
    defaults: &'static str,
    variables: &'a [Variable],
    overrides: Vec<Override>,
    /// The defaults parsed, to know sections, lists and default secrets.
    defaults_tree: serde_json::Value,
}

impl<'a> Layers<'a> {
    /// Reads file and environment. What cannot be read becomes a problem and is left out.
    pub(super) fn read(
        defaults: &'static str,
        variables: &'a [Variable],
        environment: &BTreeMap<String, String>,
        problems: &mut Vec<ConfigProblem>,
    ) -> Self {
        let defaults_tree = Config::builder()
            .add_source(File::from_str(defaults, FileFormat::Toml))
            .build()
            .and_then(Config::try_deserialize)
            .expect("the embedded defaults are TOML, as a test of each daemon shows");
        let mut layers = Self { defaults, variables, overrides: Vec::new(), defaults_tree };
        if let Some(path) = environment.get("SMS_CONFIG").filter(|path| !path.is_empty()) {
            layers.add_file(path, problems);
        }
        layers.add_prefixed(environment);
        layers.add_named(environment, problems);
        layers
    }

    fn add_file(&mut self, path: &str, problems: &mut Vec<ConfigProblem>) {
        let mut problem = |what: String, remedy: &str| {
            problems.push(ConfigProblem {
                name: "SMS_CONFIG".to_owned(),
                key: None,
                what,
                remedy: remedy.to_owned(),
            });
        };
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                return problem(
                    format!("names {path}, which cannot be read ({error})"),
                    "name a readable file, or leave it out",
                );
            }
        };
        let read = Config::builder().add_source(File::from_str(&text, FileFormat::Toml)).build();
        let tree = match read.and_then(Config::try_deserialize::<BTreeMap<String, Value>>) {
            Ok(tree) => tree,
            Err(error) => {
                let error = error.to_string().trim_end().replace('\n', "\n      ");
                return problem(format!("names {path}, which is not TOML ({error})"), "mend the file");
            }
        };
        for (name, value) in tree {
            let is_section = matches!(value.kind, ValueKind::Table(_));
            if is_section && self.defaults_tree.get(&name).is_none() {
                tracing::warn!(
                    config.section = name,
                    config.file = path,
                    "a section of the file is not ours"
                );
                continue;
            }
            self.flatten(name, value, path);
        }
    }

    /// Adds the values of a file one by one, under dotted keys.
    fn flatten(&mut self, key: String, value: Value, path: &str) {
        match value.kind {
            ValueKind::Table(table) => {
                for (name, value) in table {
                    self.flatten(format!("{key}.{name}"), value, path);
                }
            }
            _ => {
                let origin = format!("`{key}` in {path}");
                self.overrides.push(Override { key, value, origin });
            }
        }
    }

    /// Adds the variables `SMS_<SECTION>__<KEY>`.
    fn add_prefixed(&mut self, environment: &BTreeMap<String, String>) {
        for (name, text) in environment.iter().filter(|(_, text)| !text.is_empty()) {
            let Some(rest) = name.strip_prefix("SMS_").filter(|rest| rest.contains("__")) else { continue };
            let key = rest.to_lowercase().replace("__", ".");
            let section = key.split('.').next().unwrap_or_default();
            if self.defaults_tree.get(section).is_none() {
                tracing::warn!(config.variable = name, "a variable is for a section that is not ours");
                continue;
            }
            self.set(key, text.clone(), name.clone());
        }
    }

    /// Adds the variables with a name of their own, and the files that hold secrets.
    fn add_named(&mut self, environment: &BTreeMap<String, String>, problems: &mut Vec<ConfigProblem>) {
        let given = |name: &str| environment.get(name).filter(|text| !text.is_empty());
        for variable in self.variables {
            let Variable { name, key, secret, .. } = *variable;
            let file_name = format!("{name}_FILE");
            let problem = |what: String, remedy: String| ConfigProblem {
                name: name.to_owned(),
                key: Some(key.to_owned()),
                what,
                remedy,
            };
            match (given(name), given(&file_name).filter(|_| secret)) {
                (Some(_), Some(_)) => problems
                    .push(problem(format!("is set and so is {file_name}"), "set one of the two".to_owned())),
                (Some(text), None) => self.set(key.to_owned(), text.clone(), name.to_owned()),
                (None, Some(path)) => match fs::read_to_string(path) {
                    Ok(text) => {
                        let text = text.trim_end_matches(['\r', '\n']).to_owned();
                        self.set(key.to_owned(), text, file_name);
                    }
                    Err(error) => problems.push(problem(
                        format!("is to be read from {path}, which cannot be read ({error})"),
                        format!("let {file_name} name a readable file"),
                    )),
                },
                (None, None) => {}
            }
        }
    }

    /// Adds a value of the environment. Where the defaults have a list, the text is split at its commas.
    fn set(&mut self, key: String, text: String, origin: String) {
        let value = if self.default(&key).is_some_and(serde_json::Value::is_array) {
            Value::from(text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>())
        } else {
            Value::from(text)
        };
        self.overrides.push(Override { key, value, origin });
    }

    fn default(&self, key: &str) -> Option<&serde_json::Value> {
        self.defaults_tree.pointer(&format!("/{}", key.replace('.', "/")))
    }

    /// All layers merged.
    pub(super) fn build(&self) -> Result<Config, ConfigError> {
        let mut builder = Config::builder().add_source(File::from_str(self.defaults, FileFormat::Toml));
        for it in &self.overrides {
            builder = builder.set_override(&it.key, it.value.clone())?;
        }
        builder.build()
    }

    /// Removes the winning value for `key` (or for a key inside it) and returns its origin.
    pub(super) fn remove(&mut self, key: &str) -> Option<String> {
        let fits = |it: &Override| {
            let (longer, shorter) =
                if it.key.len() > key.len() { (it.key.as_str(), key) } else { (key, it.key.as_str()) };
            let rest = longer.strip_prefix(shorter);
            !key.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let at = self.overrides.iter().rposition(fits)?;
        let removed = self.overrides.remove(at);
        // A value that lost against this one is not judged: it was not in force.
        self.overrides.retain(|it| it.key != removed.key);
        Some(removed.origin)
    }

    /// Refuses default secrets, those that manuals print and those that can be guessed: outside development a secret must
    /// be the operator's own.
    pub(super) fn refuse_worthless_secrets(&self, problems: &mut Vec<ConfigProblem>) {
        for variable in self.variables.iter().filter(|variable| variable.secret) {
            let default = self.default(variable.key).and_then(serde_json::Value::as_str).unwrap_or_default();
            let Some(text) = self.text(variable.key).filter(|text| !text.is_empty()) else { continue };
            let what = if text == default {
                Some("has a default value that protects nothing".to_owned())
            } else {
                weakness(variable, &text)
            };
            if let Some(what) = what {
                let mut problem = self.problem(variable.key, &what);
                problem.remedy += ", or set SMS_ENV=development on a developer's machine";
                problems.push(problem);
            }
        }
    }

    /// The variables whose URL leads to another host without encryption, each with that host.
    pub(super) fn plaintext_hosts(&self) -> Vec<(&'static str, String)> {
        let plaintext = |variable: &Variable| {
            let endpoint = Endpoint::parse(&self.text(variable.key)?)?;
            endpoint.is_plaintext_to_another_host().then_some((variable.name, endpoint.host))
        };
        self.variables.iter().filter_map(plaintext).collect()
    }

    /// The text in force for `key`.
    fn text(&self, key: &str) -> Option<String> {
        match self.overrides.iter().rfind(|it| it.key == key) {
            Some(own) => own.value.clone().into_string().ok(),
            None => self.default(key).and_then(serde_json::Value::as_str).map(str::to_owned),
        }
    }

    /// A problem with the value in force for `key`.
    pub(super) fn problem(&self, key: &str, what: &str) -> ConfigProblem {
        let origin = self.overrides.iter().rfind(|it| it.key == key).map(|s| s.origin.clone());
        self.problem_from(key, what, origin.as_deref())
    }

    /// A problem with a value that came from `origin`, or from nowhere.
    pub(super) fn problem_from(&self, key: &str, what: &str, origin: Option<&str>) -> ConfigProblem {
        let variable = self.variables.iter().find(|variable| variable.key == key);
        let remedy = match variable {
            Some(Variable { name, secret: true, .. }) => format!("set {name} or {name}_FILE"),
            Some(Variable { name, .. }) => format!("set {name}"),
            None if what.starts_with("is not a known key") => "mend its name or remove it".to_owned(),
            None => format!(
                "set SMS_{} or `{key}` in the file named by SMS_CONFIG",
                key.to_uppercase().replace('.', "__")
            ),
        };
        // The library's words quote the value.
        let secret = variable.is_some_and(|variable| variable.secret)
            && what.starts_with("is ")
            && what.contains("should be");
        let what = if secret { "has the wrong type" } else { what };
        let name = origin.or(variable.map(|variable| variable.name)).unwrap_or(key);
        ConfigProblem {
            name: if name.is_empty() { "the configuration".to_owned() } else { name.to_owned() },
            key: (!key.is_empty()).then(|| key.to_owned()),
            what: what.to_owned(),
            remedy,
        }
    }
}
