//! Errors of RabbitMQ.

#[derive(Debug, Clone, thiserror::Error)]
pub enum BrokerError {
    /// The connection was refused or lost, or the broker closed the channel for an error of protocol.
    #[error("the broker is not there, or refused")]
    Amqp(#[from] lapin::Error),
    /// The broker refuses an exchange or queue, or does not have it and the user may not declare it.
    #[error("the broker refuses {name}: {text} ({code}); {advice}")]
    Refused {
        /// The exchange or queue.
        name: &'static str,
        /// AMQP's, as 406.
        code: u16,
        /// The broker's.
        text: String,
        /// What to do about it.
        advice: &'static str,
    },
    /// The file of root certificates that the URL names is of no use.
    #[error("cacertfile names root certificates that cannot be used: {0}")]
    Roots(String),
    #[error("the broker did not answer in time")]
    Timeout,
    /// The broker takes no messages for now: the connection is there, and goes on by itself.
    #[error(
        "the broker is blocked: it has raised an alarm, as for memory or disk, and takes no messages until it is over"
    )]
    Blocked,
    /// No queue is bound to the exchange and routing key of the message.
    #[error("the broker has no queue for the message")]
    Unroutable,
    /// The broker answered with a negative confirm (a full queue, a lost leader).
    #[error("the broker did not take the message")]
    NotTaken,
}
