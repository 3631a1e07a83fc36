//! The limit: a tokio broadcast channel with a task for each socket, and nothing else.

use anyhow::Context;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::broadcast,
};

use super::helper;

/// Updates that wait for a slow client, as in the defaults of `status`.
const BACKLOG: usize = 1024;

/// Serves until it is killed. The first connection says what is sent to all others: a length of four bytes, and the bytes.
pub(crate) fn serve() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        helper::answer(&listener.local_addr()?.port())?;
        let (control, _) = listener.accept().await?;
        let (sender, _) = broadcast::channel(BACKLOG);
        let broadcasting = tokio::spawn(broadcast_orders(control, sender.clone()));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(follow(client, sender.subscribe()));
            }
        });
        broadcasting.await?
    })
}

async fn broadcast_orders(
    mut control: TcpStream,
    sender: broadcast::Sender<actix_web::web::Bytes>,
) -> anyhow::Result<()> {
    loop {
        let length = control.read_u32().await.context("nobody gives orders any more")?;
        let mut bytes = vec![0; length as usize];
        control.read_exact(&mut bytes).await?;
        sender.send(bytes.into()).ok().context("there are no clients")?;
    }
}

async fn follow(
    mut client: TcpStream,
    mut updates: broadcast::Receiver<actix_web::web::Bytes>,
) -> anyhow::Result<()> {
    // Tells the client that it has subscribed.
    client.write_u8(b'+').await?;
    loop {
        client.write_all(&updates.recv().await?).await?;
    }
}
