//! Profiles: systems by name, each with the URL of its operator API and where the operator's token is.
//!
//! They stand in `sms-sync/config.toml` below the user's config directory (`XDG_CONFIG_HOME`, or `~/.config`). The file holds
//! no secrets. A profile may name a program that prints the token, so others must not be able to change the file.

use std::{
    fmt, fs, io,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::Context;
use secrecy::SecretString;
use toml_edit::{Array, DocumentMut, Item, Table, value};

use crate::secrets::read_secret_file;

const CONFIG_DIRECTORY_VARIABLE: &str = "XDG_CONFIG_HOME";
/// Read and write for the owner alone.
const PRIVATE_MODE: u32 = 0o600;
/// What the group and others may do.
const MODE_OF_OTHERS: u32 = 0o077;

/// What is wrong with the config of the command line; exit code 78.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct ConfigFault(pub(crate) String);

/// A system by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) token: Option<TokenSource>,
}

/// Where the token of a profile is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TokenSource {
    File(PathBuf),
    /// A program with its arguments, which prints the token; no shell is involved.
    Command(Vec<String>),
}

impl fmt::Display for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Command(words) => write!(f, "command {}", words.join(" ")),
        }
    }
}

impl TokenSource {
    /// The token, from a file that is its owner's alone, or from the program.
    pub(crate) fn read(&self) -> anyhow::Result<SecretString> {
        match self {
            Self::File(path) => {
                require_private(path)?;
                read_secret_file("the profile", path)
            }
            Self::Command(words) => {
                let (program, arguments) =
                    words.split_first().ok_or_else(|| ConfigFault("token_command is empty".to_owned()))?;
                let output = Command::new(program).args(arguments).stderr(Stdio::inherit()).output();
                let output = output.with_context(|| format!("cannot run {program}"))?;
                let text = String::from_utf8_lossy(&output.stdout);
                anyhow::ensure!(output.status.success(), "{self} failed: {}", output.status);
                anyhow::ensure!(!text.trim().is_empty(), "{self} printed no token");
                Ok(text.trim().into())
            }
        }
    }
}

/// The profiles of this user.
#[derive(Debug, Clone)]
pub(crate) struct Profiles {
    path: PathBuf,
    document: DocumentMut,
}

impl Profiles {
    /// Reads the file; none is as good as an empty one.
    pub(crate) fn load() -> anyhow::Result<Self> {
        let path = config_directory()?.join("config.toml");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { path, document: DocumentMut::new() });
            }
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read the profiles in {}", path.display()));
            }
        };
        require_private(&path)?;
        let fault = |what: String| ConfigFault(format!("{}: {what}", path.display()));
        let document: DocumentMut = text.parse().map_err(|error| fault(format!("not TOML: {error}")))?;
        let profiles = Self { path: path.clone(), document };
        if let Some((key, _)) =
            profiles.document.iter().find(|(key, _)| !["current", "profiles"].contains(key))
        {
            return Err(fault(format!("unknown key {key}: expected current or profiles")).into());
        }
        for name in profiles.names() {
            profiles.find(&name)?;
        }
        Ok(profiles)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The profile that is used where none is named.
    pub(crate) fn current(&self) -> Option<&str> {
        self.document.get("current")?.as_str()
    }

    /// By name.
    pub(crate) fn names(&self) -> Vec<String> {
        let profiles = self.document.get("profiles").and_then(Item::as_table_like);
        let mut names: Vec<String> =
            profiles.into_iter().flat_map(|it| it.iter()).map(|(name, _)| name.to_owned()).collect();
        names.sort();
        names
    }

    /// The profile of this name.
    pub(crate) fn find(&self, name: &str) -> Result<Profile, ConfigFault> {
        let entry = self.document.get("profiles").and_then(|it| it.get(name));
        let Some(entry) = entry.and_then(Item::as_table_like) else {
            let known = self.names();
            let known = if known.is_empty() { "there is none yet".to_owned() } else { known.join(", ") };
            let add = format!("add it with `sms-sync profiles set {name} --url URL`");
            return Err(ConfigFault(format!("there is no profile {name} ({known}): {add}")));
        };
        let fault = |what: &str| ConfigFault(format!("{}: profile {name}: {what}", self.path.display()));
        if let Some((key, _)) =
            entry.iter().find(|(key, _)| !["url", "token_file", "token_command"].contains(key))
        {
            return Err(fault(&format!("unknown key {key}: expected url, token_file or token_command")));
        }
        let url = entry.get("url").and_then(Item::as_str).ok_or_else(|| fault("url must be a text"))?;
        let token = match (entry.get("token_file"), entry.get("token_command")) {
            (None, None) => None,
            (Some(file), None) => {
                let file = file.as_str().ok_or_else(|| fault("token_file must be a text"))?;
                let directory = self.path.parent().unwrap_or(Path::new(""));
                Some(TokenSource::File(directory.join(file)))
            }
            (None, Some(command)) => {
                let words = command.as_array().and_then(|it| {
                    it.iter().map(|word| word.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
                });
                let words = words.filter(|words| !words.is_empty());
                let words = words.ok_or_else(|| {
                    fault("token_command must be a list of texts, such as [\"pass\", \"show\", \"sms\"]")
                })?;
                Some(TokenSource::Command(words))
            }
            (Some(_), Some(_)) => {
                return Err(fault("token_file and token_command are both given: remove one of the two"));
            }
        };
        Ok(Profile { name: name.to_owned(), url: url.to_owned(), token })
    }

    /// Adds a profile, or replaces the one of its name.
    pub(crate) fn insert(&mut self, profile: &Profile) {
        let mut entry = Table::new();
        entry["url"] = value(&profile.url);
        match &profile.token {
            Some(TokenSource::File(path)) => {
                let beside = self.path.parent().and_then(|directory| path.strip_prefix(directory).ok());
                entry["token_file"] = value(beside.unwrap_or(path).display().to_string());
            }
            Some(TokenSource::Command(words)) => {
                entry["token_command"] = value(words.iter().map(String::as_str).collect::<Array>());
            }
            None => {}
        }
        if self.document.get("profiles").is_none() {
            let mut profiles = Table::new();
            profiles.set_implicit(true);
            self.document["profiles"] = Item::Table(profiles);
        }
        self.document["profiles"][&profile.name] = Item::Table(entry);
    }

    /// Makes a profile the one that is used where none is named.
    pub(crate) fn set_current(&mut self, name: &str) {
        self.document["current"] = value(name);
    }

    /// Removes a profile; it is no longer current.
    pub(crate) fn remove(&mut self, name: &str) {
        if let Some(profiles) = self.document.get_mut("profiles").and_then(Item::as_table_like_mut) {
            profiles.remove(name);
        }
        if self.current() == Some(name) {
            self.document.remove("current");
        }
    }

    /// Writes the file for its owner alone; a write that breaks off leaves the old one.
    pub(crate) fn save(&self) -> anyhow::Result<()> {
        write_private(&self.path, &self.document.to_string())
    }

    /// Deletes the token that was kept for a profile, if there is one.
    pub(crate) fn delete_token(&self, name: &str) -> anyhow::Result<()> {
        let path = self.token_path(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot delete {}", path.display()))
            }
            _ => Ok(()),
        }
    }

    fn token_path(&self, name: &str) -> PathBuf {
        self.path.with_file_name("tokens").join(name)
    }

    /// Keeps a token in a file beside the profiles, for its owner alone.
    pub(crate) fn save_token(&self, name: &str, token: &str) -> anyhow::Result<TokenSource> {
        let path = self.token_path(name);
        write_private(&path, token)?;
        Ok(TokenSource::File(path))
    }
}

fn config_directory() -> anyhow::Result<PathBuf> {
    let given = std::env::var_os(CONFIG_DIRECTORY_VARIABLE).filter(|path| !path.is_empty());
    let directory = given.map(PathBuf::from).or_else(|| Some(std::env::home_dir()?.join(".config")));
    let directory = directory.ok_or_else(|| {
        ConfigFault(format!("there is no home directory for profiles: set {CONFIG_DIRECTORY_VARIABLE}"))
    })?;
    Ok(directory.join("sms-sync"))
}

/// Refuses a file that the group or others may read or change.
fn require_private(path: &Path) -> anyhow::Result<()> {
    let metadata = fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mode = metadata.permissions().mode();
    if mode & MODE_OF_OTHERS == 0 {
        return Ok(());
    }
    let (path, mode) = (path.display(), mode & 0o777);
    Err(ConfigFault(format!("{path} has mode {mode:04o}, so that others can use it: run `chmod 600 {path}`"))
        .into())
}

fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let write = || -> io::Result<()> {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        let new = path.with_added_extension("new");
        fs::remove_file(&new).or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        })?;
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(PRIVATE_MODE).open(&new)?;
        io::Write::write_all(&mut file, text.as_bytes())?;
        file.sync_all()?;
        fs::rename(new, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profiles(text: &str) -> Profiles {
        Profiles { path: "/home/anna/.config/sms-sync/config.toml".into(), document: text.parse().unwrap() }
    }

    #[test]
    fn profile_that_was_written_is_read_back_and_comments_stay() {
        let mut profiles = profiles("# of anna\n");
        let command = Some(TokenSource::Command(vec!["pass".to_owned(), "sms".to_owned()]));
        let profile =
            Profile { name: "north".to_owned(), url: "https://sms.example".to_owned(), token: command };
        profiles.insert(&profile);
        profiles.set_current("north");
        assert_eq!(profiles.find("north"), Ok(profile));
        assert_eq!(profiles.current(), Some("north"));
        assert!(profiles.document.to_string().contains("# of anna"), "{}", profiles.document);
        profiles.remove("north");
        assert_eq!((profiles.current(), profiles.names().len()), (None, 0));
    }

    #[test]
    fn relative_token_file_stands_beside_the_profiles() {
        let profiles = profiles("[profiles.a]\nurl = 'http://x'\ntoken_file = 'tokens/a'\n");
        let path = "/home/anna/.config/sms-sync/tokens/a".into();
        assert_eq!(profiles.find("a").unwrap().token, Some(TokenSource::File(path)));
    }

    #[test]
    fn wrong_profile_is_named_with_what_was_expected() {
        for (text, what) in [
            ("[profiles.a]\n", "url must be a text"),
            ("[profiles.a]\nurl = 'http://x'\ntoken = 'x'\n", "unknown key token"),
            ("[profiles.a]\nurl = 'http://x'\ntoken_command = 'pass'\n", "must be a list of texts"),
            ("[profiles.b]\nurl = 'http://x'\n", "there is no profile a (b)"),
        ] {
            let fault = profiles(text).find("a").unwrap_err().to_string();
            assert!(fault.contains(what), "{text}: {fault}");
        }
    }
}
