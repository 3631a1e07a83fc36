//! Errors of the database: which are transient, and which are about a value.

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel_async::pooled_connection::{PoolError, deadpool};
use domain::FailureClass;

/// A boxed cause.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why the database did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The URL, or the TLS that it asks for, cannot be used.
    #[error("the database URL cannot be used")]
    Configuration(#[source] BoxError),
    /// No connection could be made.
    #[error("cannot connect to the database")]
    Connect(#[source] BoxError),
    /// All connections were taken for as long as we wait.
    #[error("no database connection was free in time")]
    PoolTimeout,
    /// A constraint was violated.
    #[error("the database refused a value by {constraint}")]
    Constraint {
        constraint: Constraint,
        #[source]
        source: DieselError,
    },
    /// Any other failure of a statement.
    #[error("a database statement failed")]
    Statement(#[source] DieselError),
    /// A row holds a value that this version does not know.
    #[error("{table}.{column} of {id} cannot be read")]
    Contradiction {
        table: &'static str,
        column: &'static str,
        /// The row.
        id: String,
        #[source]
        source: BoxError,
    },
    /// Other writers changed the rows that were to be written, again and again.
    #[error("other writers were faster, again and again")]
    Contended,
    /// The schema could not be brought up or down.
    #[error("a migration failed")]
    Migration(#[source] BoxError),
}

/// The constraints whose violation means something to a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Constraint {
    /// A full sync is queued or running.
    OneFullSync,
    /// Two vessels with one IMO number.
    ImoNumber,
    /// Two pieces of equipment with one QR code.
    QrCode,
    /// Two users with one e-mail address.
    Email,
    /// Read is not the sum of the outcomes.
    ReadIsTheSum,
    /// Audit rows are neither changed nor deleted.
    AuditIsAppendOnly,
    /// Any other, by its name.
    Other(String),
}

impl Constraint {
    fn by_name(name: &str) -> Self {
        match name {
            "sync_logs_one_full_sync" => Self::OneFullSync,
            "vessels_imo_number_key" => Self::ImoNumber,
            "equipment_qr_code_key" => Self::QrCode,
            "users_email_key" => Self::Email,
            "sync_counts_read_is_the_sum_of_outcomes" => Self::ReadIsTheSum,
            other => Self::Other(other.to_owned()),
        }
    }

    /// The code of the finding about a record that violates the constraint.
    #[must_use]
    pub const fn finding_code(&self) -> &'static str {
        match self {
            Self::ImoNumber => "duplicate_imo_number",
            Self::QrCode => "duplicate_qr_code",
            Self::Email => "duplicate_email",
            Self::OneFullSync | Self::ReadIsTheSum | Self::AuditIsAppendOnly | Self::Other(_) => {
                "refused_by_database"
            }
        }
    }
}

impl std::fmt::Display for Constraint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::OneFullSync => "sync_logs_one_full_sync",
            Self::ImoNumber => "vessels_imo_number_key",
            Self::QrCode => "equipment_qr_code_key",
            Self::Email => "users_email_key",
            Self::ReadIsTheSum => "sync_counts_read_is_the_sum_of_outcomes",
            Self::AuditIsAppendOnly => "audit_is_append_only",
            Self::Other(name) => name,
        })
    }
}

impl StoreError {
    /// Whether a later attempt may succeed. Unknown errors are transient.
    #[must_use]
    pub fn failure_class(&self) -> FailureClass {
        match self {
            Self::Connect(_) | Self::PoolTimeout | Self::Contended => FailureClass::Transient,
            Self::Statement(DieselError::NotFound) => FailureClass::Permanent,
            Self::Statement(_) if self.is_refusal() => FailureClass::Permanent,
            Self::Statement(_) => FailureClass::Transient, // serialization, connection lost, shutdown, read-only …
            Self::Configuration(_)
            | Self::Constraint { .. }
            | Self::Contradiction { .. }
            | Self::Migration(_) => FailureClass::Permanent,
        }
    }

    /// Whether the database refuses a *value*: the record that has it can be found by halving the batch.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Constraint { .. } => true,
            Self::Statement(DieselError::DatabaseError(DatabaseErrorKind::Unknown, said)) => {
                // diesel does not pass SQLSTATE on, so the data exceptions (class 22) that a record can cause are known by
                // their texts. With other lc_messages they count as transient, and end in the dead letters.
                let said = said.message();
                [
                    "out of range",
                    "field overflow",
                    "invalid byte sequence",
                    "unsupported Unicode",
                    "invalid input syntax",
                    "too long for",
                    "exceeds btree",
                    "exceeds maximum",
                ]
                .iter()
                .any(|text| said.contains(text))
            }
            Self::Statement(DieselError::SerializationError(_)) => true, // a value that diesel cannot encode
            _ => false,
        }
    }

    /// Whether a unique constraint was violated.
    pub(crate) const fn is_duplicate(&self) -> bool {
        matches!(
            self,
            Self::Constraint {
                source: DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _),
                ..
            }
        )
    }

    /// Whether the statement took longer than `statement_timeout` allows.
    #[must_use]
    pub fn is_statement_timeout(&self) -> bool {
        // diesel does not pass SQLSTATE 57014 on. With other lc_messages it counts as a database that does not answer.
        matches!(self, Self::Statement(DieselError::DatabaseError(DatabaseErrorKind::Unknown, said))
            if said.message().contains("statement timeout"))
    }

    /// Whether a lock was waited for longer than `lock_timeout` allows.
    #[must_use]
    pub fn is_lock_timeout(&self) -> bool {
        // diesel does not pass SQLSTATE 55P03 on. With other lc_messages it counts as a database that does not answer.
        matches!(self, Self::Statement(DieselError::DatabaseError(DatabaseErrorKind::Unknown, said))
            if said.message().contains("lock timeout"))
    }

    /// Whether this transaction and another waited for each other, and this one was rolled back for it.
    #[must_use]
    pub fn is_deadlock(&self) -> bool {
        // diesel does not pass SQLSTATE 40P01 on. With other lc_messages the task is tried again as a whole.
        matches!(self, Self::Statement(DieselError::DatabaseError(DatabaseErrorKind::Unknown, said))
            if said.message().contains("deadlock detected"))
    }

    /// The constraint that was violated.
    #[must_use]
    pub const fn constraint(&self) -> Option<&Constraint> {
        match self {
            Self::Constraint { constraint, .. } => Some(constraint),
            _ => None,
        }
    }
}

impl From<DieselError> for StoreError {
    fn from(source: DieselError) -> Self {
        use DatabaseErrorKind::{CheckViolation, ForeignKeyViolation, NotNullViolation, UniqueViolation};
        let constraint = match &source {
            DieselError::DatabaseError(
                UniqueViolation | CheckViolation | ForeignKeyViolation | NotNullViolation,
                said,
            ) => Some(Constraint::by_name(
                said.constraint_name().or(said.column_name()).unwrap_or("a constraint"),
            )),
            DieselError::DatabaseError(_, said) if said.message() == "audit is append-only" => {
                Some(Constraint::AuditIsAppendOnly)
            }
            _ => None,
        };
        match constraint {
            Some(constraint) => Self::Constraint { constraint, source },
            None => Self::Statement(source),
        }
    }
}

impl From<deadpool::PoolError> for StoreError {
    fn from(error: deadpool::PoolError) -> Self {
        match error {
            deadpool::PoolError::Timeout(_) => Self::PoolTimeout,
            deadpool::PoolError::Backend(PoolError::ConnectionError(source)) => Self::Connect(source.into()),
            deadpool::PoolError::Backend(PoolError::QueryError(source)) => Self::Connect(source.into()),
            other => Self::Connect(other.into()),
        }
    }
}

/// Reads a word of one of `domain`'s vocabularies out of a row: the only function by which text becomes a state.
pub(crate) fn word<T>(
    table: &'static str,
    column: &'static str,
    id: impl std::fmt::Display,
    text: &str,
) -> Result<T, StoreError>
where
    T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    text.parse().map_err(|source: T::Err| StoreError::Contradiction {
        table,
        column,
        id: id.to_string(),
        source: source.into(),
    })
}

/// A count out of a row, which a constraint keeps from being negative.
pub(crate) fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
