//! The `reason` that an operator gives. It is kept in the audit log, so its length is limited.

use chassis::problem::{FieldError, Problem};

/// Most characters of a reason.
pub(crate) const REASON_LENGTH_LIMIT: usize = 500;

/// 422 for a reason that is too long.
pub(crate) fn check_reason(reason: Option<&str>) -> Result<(), Problem> {
    match reason_error(reason) {
        Some(error) => Err(Problem::invalid("The reason is too long.", vec![error])),
        None => Ok(()),
    }
}

/// The error for a reason that is too long, for requests that report all wrong fields at once.
pub(crate) fn reason_error(reason: Option<&str>) -> Option<FieldError> {
    let length = reason?.chars().count();
    (length > REASON_LENGTH_LIMIT).then(|| {
        let detail = format!("must have at most {REASON_LENGTH_LIMIT} characters, has {length}");
        FieldError::new("#/reason", "too_long", detail)
    })
}
