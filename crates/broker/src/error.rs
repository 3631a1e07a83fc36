//! What can go wrong between us and RabbitMQ.

/// The broker did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BrokerError {
    /// Refused, lost, or against its rules.
    #[error("the broker is not there, or refused")]
    Amqp(#[from] lapin::Error),
    /// No answer in time.
    #[error("the broker did not answer in time")]
    Timeout,
    /// No queue is bound to where the message was sent.
    #[error("the broker has no queue for the message")]
    Unroutable,
    /// The broker would not take responsibility for the message (a full queue, a lost leader).
    #[error("the broker did not take the message")]
    Refused,
}
