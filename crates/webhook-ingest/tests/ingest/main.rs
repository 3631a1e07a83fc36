//! The service on a real PostgreSQL and a real RabbitMQ: which webhooks it accepts and rejects (`verification`), how it limits
//! what it uses (`bounds`), what survives failures (`durability`), and public signing libraries against it (`interop`).
#![expect(clippy::disallowed_types, reason = "tests hand in the machine's clock")]

mod bounds;
mod durability;
mod interop;
mod scene;
mod verification;
