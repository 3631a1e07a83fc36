//! Why a request to the webhook endpoint was refused: a closed set, the same in logs, metrics, the database and the API.

use crate::vocabulary::vocabulary;

vocabulary!(
    /// Why a webhook was refused. The sender learns less: one flat answer for all that has to do with its signature.
    WebhookRefusal {
        /// Not a POST.
        UnsupportedMethod = "unsupported_method",
        /// Not JSON by its content type.
        UnsupportedContentType = "unsupported_content_type",
        /// Larger than a webhook may be.
        PayloadTooLarge = "payload_too_large",
        /// The body broke off, or took too long.
        UnreadableBody = "unreadable_body",
        /// A header that a signed webhook has is absent or not text.
        MissingSignature = "missing_signature",
        /// The id is empty, too long, or holds a dot.
        MalformedId = "malformed_id",
        /// The timestamp is no number of Unix seconds.
        MalformedTimestamp = "malformed_timestamp",
        /// Too old, or from the future: a replay, or a clock that is wrong.
        TimestampOutOfTolerance = "timestamp_out_of_tolerance",
        /// Signatures, but of no version that is known here.
        NoUsableSignature = "no_usable_signature",
        /// Changed on the way, or signed with another secret.
        VerificationFailed = "verification_failed",
        /// Signed, and no JSON.
        UnparsableJson = "unparsable_json",
        /// Signed, and not the JSON that a webhook is.
        SchemaInvalid = "schema_invalid",
        /// Signed, under the id of an earlier webhook with another body.
        IdReused = "id_reused",
        /// Its source sends too many.
        RateLimited = "rate_limited",
        /// More wait to be recorded than may.
        Overloaded = "overloaded",
        /// The database did not take it.
        NotRecorded = "not_recorded",
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_reads_back_from_its_word() {
        for reason in WebhookRefusal::ALL {
            assert_eq!(reason.as_str().parse::<WebhookRefusal>().ok(), Some(*reason));
        }
    }
}
