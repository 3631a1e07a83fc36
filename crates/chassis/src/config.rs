//! Config of a process in three layers: an embedded default file, an optional file, the environment.
//!
//! 1. The *defaults*: a commented TOML text embedded in the binary. It names every key and says what it means, so it
//!    is the manual, and `<daemon> config defaults` prints it. A value an operator must supply stands in it as `""`.
//! 2. The *file* named by `SMS_CONFIG`, TOML of the same shape, with only what differs.
//! 3. The *environment*: the [`Variable`]s operators know by name (`DATABASE_URL`), for each secret also
//!    `NAME_FILE` with the path of a file that holds it, and `SMS_<SECTION>__<KEY>` for any other key.
//!    Empty variables count as absent.
//!
//! In production a secret must be worth its name: not a default, not one that manuals print, not short, not made of a few
//! bytes again and again; the same for passwords in URLs. An unencrypted URL to another host is warned of.
//!
//! Nothing stops at the first mistake: [`load`] collects everything that is wrong and says it at once. Sections of
//! the file or of the environment that a daemon does not know are left to the other daemons (one file may serve all)
//! and mentioned in the log; an unknown key inside a known section is a mistake. Sections that several daemons have
//! are defined once, in [`sections`], so that one file fits all of them.

mod effective;
mod endpoint;
mod environment;
mod layers;
mod library_error;
mod load;
mod manual;
mod named_secrets;
mod problems;
mod secret;
mod secret_strength;
pub mod sections;
mod variable;

pub use effective::{REDACTED, effective};
pub use environment::{Environment, process_environment};
pub use load::{load, load_from};
pub use manual::key_description;
pub use named_secrets::{NAMED_SECRETS_LIMIT, NamedSecret, NamedSecretsError, named_secrets};
pub use problems::{ConfigProblem, ConfigProblems};
pub use secret::{ExposeSecret, Secret, secret_given, secret_min_bytes};
pub use secret_strength::weakness;
pub use variable::Variable;
