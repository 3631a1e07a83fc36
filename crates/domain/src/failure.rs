//! What kind of failure stopped a piece of work.

use crate::vocabulary::vocabulary;

vocabulary!(
    /// Decides between a retry and the dead letters. A failure that nobody has classified is transient.
    FailureClass {
        /// It may pass by itself: network, 408, 429, 5xx, database gone, serialization failure.
        Transient = "transient",
        /// It will not pass: 401, 403, 404, a broken contract, a message that cannot be read.
        Permanent = "permanent",
        /// It was delivered again and again because it kills its consumer.
        Poison = "poison",
    }
);

impl FailureClass {
    /// The class of an HTTP answer that is not a success.
    #[must_use]
    pub const fn of_http_status(status: u16) -> Self {
        match status {
            408 | 425 | 429 | 500..=599 => Self::Transient,
            _ => Self::Permanent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_answers_that_may_change_are_transient() {
        for status in [408, 429, 500, 502, 503, 504] {
            assert_eq!(FailureClass::of_http_status(status), FailureClass::Transient, "{status}");
        }
        for status in [301, 400, 401, 403, 404, 409, 410, 422] {
            assert_eq!(FailureClass::of_http_status(status), FailureClass::Permanent, "{status}");
        }
    }
}
