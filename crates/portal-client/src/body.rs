//! Bodies of answers: read within a limit, and decoded.

use bytes::Bytes;
use serde::Deserialize;

use crate::PortalError;

/// A page of a thousand records is about a megabyte; thirty times that is no page. Counted after decompression.
const BODY_LIMIT: usize = 32 * 1024 * 1024;

/// Memory that is allocated at once for a body whose length is announced. The announcement may be false.
const PREALLOCATION_LIMIT: usize = 4 * 1024 * 1024;

/// Reads a body chunk by chunk, so that a small compressed answer cannot fill the memory.
pub(crate) async fn read_body(mut response: reqwest::Response, path: &str) -> Result<Bytes, PortalError> {
    let announced = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    let mut body = Vec::with_capacity(announced.min(PREALLOCATION_LIMIT));
    while let Some(chunk) = response.chunk().await.map_err(PortalError::NoAnswer)? {
        if body.len() + chunk.len() > BODY_LIMIT {
            return Err(PortalError::TooLarge { path: path.to_owned(), limit: BODY_LIMIT });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.into())
}

/// Decodes a JSON body. Malformed JSON may have been cut on the way and is a transient failure; JSON of another shape breaks
/// the contract and is a permanent one.
pub(crate) fn decode_body<'b, T: Deserialize<'b>>(body: &'b [u8], path: &str) -> Result<T, PortalError> {
    serde_json::from_slice(body).map_err(|source| match source.classify() {
        serde_json::error::Category::Data => {
            PortalError::Contract { path: path.to_owned(), what: source.to_string() }
        }
        _ => PortalError::Unreadable { path: path.to_owned(), place: None, source },
    })
}
