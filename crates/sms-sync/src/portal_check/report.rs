//! What the checks of a portal have found.

use serde::Serialize;

/// How much of a portal is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CheckLimits {
    /// Records per page.
    pub(crate) page_size: u32,
    /// Most pages of a list.
    pub(crate) pages: u32,
}

/// What a check has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// As the contract has it.
    Ok,
    /// The sync works, but slower or blinder than it could.
    Warn,
    /// The contract is broken: syncs will fail or be wrong.
    Fail,
    /// Could not be checked.
    Skip,
}

/// One check.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Check {
    /// The list that was checked, or `portal`.
    pub(crate) of: &'static str,
    pub(crate) name: &'static str,
    pub(crate) verdict: Verdict,
    pub(crate) detail: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<&'static str>,
}

/// All checks of a portal, in the order in which they ran.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Report {
    pub(crate) url: String,
    pub(crate) checks: Vec<Check>,
}

impl Report {
    pub(crate) fn has_failed(&self) -> bool {
        self.checks.iter().any(|check| check.verdict == Verdict::Fail)
    }

    pub(super) fn add(
        &mut self,
        of: &'static str,
        name: &'static str,
        result: Result<String, String>,
        hint: &'static str,
    ) {
        let (verdict, detail, hint) = match result {
            Ok(detail) => (Verdict::Ok, detail, None),
            Err(detail) => (Verdict::Fail, detail, Some(hint)),
        };
        self.checks.push(Check { of, name, verdict, detail, hint });
    }

    pub(super) fn warn(
        &mut self,
        of: &'static str,
        name: &'static str,
        detail: impl Into<String>,
        hint: &'static str,
    ) {
        let check = Check { of, name, verdict: Verdict::Warn, detail: detail.into(), hint: Some(hint) };
        self.checks.push(check);
    }

    pub(super) fn skip(&mut self, of: &'static str, name: &'static str, detail: impl Into<String>) {
        self.checks.push(Check { of, name, verdict: Verdict::Skip, detail: detail.into(), hint: None });
    }
}
