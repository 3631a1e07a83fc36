//! Messages that nobody of ours has sent.

use testbed::World;
use testbed::lapin::BasicProperties;
use testbed::lapin::options::{BasicPublishOptions, ConfirmSelectOptions};

/// A message as a foreign hand may put it into one of our queues.
#[derive(Debug, Clone)]
pub struct Message<'m> {
    /// The AMQP `type`; empty: none.
    pub kind: &'m str,
    /// The message id; empty: none.
    pub id: &'m str,
    /// Anything.
    pub body: &'m [u8],
}

impl Message<'_> {
    /// Puts it into a queue, and returns when the broker has it.
    pub async fn send_to(&self, world: &World, queue: &str) -> anyhow::Result<()> {
        let connection = world.amqp_connection().await?;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        let mut properties = BasicProperties::default().with_delivery_mode(2);
        if !self.kind.is_empty() {
            properties = properties.with_type(self.kind.into());
        }
        if !self.id.is_empty() {
            properties = properties.with_message_id(self.id.into());
        }
        // The default exchange: straight into the queue of that name.
        let mandatory = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let sent =
            channel.basic_publish("".into(), queue.into(), mandatory, self.body, properties).await?.await?;
        anyhow::ensure!(
            matches!(sent, testbed::lapin::Confirmation::Ack(None)),
            "{queue} did not take the message: {sent:?}"
        );
        connection.close(200, "sent".into()).await.ok();
        Ok(())
    }
}
