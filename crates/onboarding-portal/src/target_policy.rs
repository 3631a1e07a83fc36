//! Which endpoints webhooks may be sent to.

/// What an endpoint's address may be. In production both fields are false, unless the config says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TargetPolicy {
    /// Allow addresses of this machine and of private networks.
    pub(crate) private_addresses: bool,
    /// Allow `http:`, which anybody on the way can read.
    pub(crate) plain_http: bool,
}
