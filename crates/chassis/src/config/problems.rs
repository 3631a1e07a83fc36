//! What is wrong with a config, told as a whole.

use std::fmt;

/// One mistake in the config, and its remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblem {
    /// The variable, file or key as the operator wrote it or would write it.
    pub name: String,
    /// The config key, where the problem has one.
    pub key: Option<String>,
    /// What is wrong. Never holds a secret.
    pub what: String,
    pub remedy: String,
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, key, what, remedy } = self;
        match key {
            Some(key) if key != name => write!(f, "{name} ({key}) {what}: {remedy}"),
            _ => write!(f, "{name} {what}: {remedy}"),
        }
    }
}

/// All mistakes in a config; never empty. `Display` gives one line per problem.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigProblems {
    problems: Vec<ConfigProblem>,
}

impl ConfigProblems {
    /// `problems` holds at least one.
    #[must_use]
    pub fn new(problems: Vec<ConfigProblem>) -> Self {
        Self { problems }
    }

    /// The problems, in the order in which they were found.
    #[must_use]
    pub fn problems(&self) -> &[ConfigProblem] {
        &self.problems
    }

    /// Joins the problems of several daemons of one process, each problem once.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for problem in other.problems {
            if !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
        }
        self
    }
}

impl fmt::Display for ConfigProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.problems.len();
        write!(f, "the configuration has {count} problem{}", if count == 1 { "" } else { "s" })?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n  - {problem}"))
    }
}
