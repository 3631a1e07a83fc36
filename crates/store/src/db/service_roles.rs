//! The roles in PostgreSQL that the migrations make, one for each service, and their logins.

use std::{fmt, str::FromStr};

use diesel_async::SimpleAsyncConnection;
use postgres_protocol::password::scram_sha_256;

use crate::db::{connection::Store, error::StoreError};

/// The role of a service. It has what the service needs and no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceRole {
    WebhookIngest,
    Scheduler,
    Worker,
    Status,
}

impl ServiceRole {
    pub const ALL: [Self; 4] = [Self::WebhookIngest, Self::Scheduler, Self::Worker, Self::Status];

    /// As PostgreSQL knows it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WebhookIngest => "sms_webhook_ingest",
            Self::Scheduler => "sms_scheduler",
            Self::Worker => "sms_worker",
            Self::Status => "sms_status",
        }
    }
}

impl ServiceRole {
    /// Most connections of the role, in per cent of the server's: of many workers together, and of few others.
    const fn connections_percent(self) -> u32 {
        match self {
            Self::Worker => 60,
            Self::WebhookIngest | Self::Status => 20,
            Self::Scheduler => 10,
        }
    }
}

impl fmt::Display for ServiceRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The role is none of a service.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not the role of a service: sms_webhook_ingest, sms_scheduler, sms_worker or sms_status")]
pub struct UnknownServiceRole(String);

impl FromStr for ServiceRole {
    type Err = UnknownServiceRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let role = Self::ALL.into_iter().find(|role| role.as_str() == text);
        role.ok_or_else(|| UnknownServiceRole(text.to_owned()))
    }
}

impl Store {
    /// Lets `role` sign in to this database with `password`, and no longer with another one, and forgets what it may have set for
    /// itself. No role may take all connections of the server. The password's hash is made here, so that the password stands in
    /// no log of the server. Needs an owner who may change roles.
    pub async fn set_login(&self, role: ServiceRole, password: &str) -> Result<(), StoreError> {
        // SCRAM-SHA-256$4096:…, base64 without quotes
        let verifier = scram_sha_256(password.as_bytes());
        let mut db = self.db().await?;
        db.batch_execute(&format!(
            "DO $$ BEGIN
                 ALTER ROLE {role} LOGIN PASSWORD '{verifier}';
                 ALTER ROLE {role} RESET ALL;
                 EXECUTE format('ALTER ROLE {role} IN DATABASE %I RESET ALL', current_database());
                 EXECUTE format('ALTER ROLE {role} CONNECTION LIMIT %s',
                     greatest(10, current_setting('max_connections')::int * {share} / 100));
                 EXECUTE format('GRANT CONNECT ON DATABASE %I TO {role}', current_database());
             END $$",
            share = role.connections_percent(),
        ))
        .await?;
        Ok(())
    }
}
