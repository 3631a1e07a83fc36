//! The doctor: the three questions of a night, each with cause and remedy.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::RecordType;

domain::vocabulary::vocabulary! {
    /// What a diagnosis answers.
    #[derive(ToSchema)]
    DoctorQuestion {
        /// Do the services reach database, broker and onboarding portal?
        Connection = "connection",
        /// Does a sync or an approval not move?
        Stuck = "stuck",
        /// Why is a record missing?
        Missing = "missing",
    }
}

/// All diagnoses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DoctorReport {
    /// Whether nothing is wrong.
    pub ok: bool,
    pub checked_at: DateTime<Utc>,
    /// At least one for each question.
    pub diagnoses: Vec<Diagnosis>,
}

/// What is wrong, or that nothing is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    pub question: DoctorQuestion,
    /// Whether nothing is wrong.
    pub ok: bool,
    /// What was found.
    pub title: String,
    /// Why, from what an operator sees to where it comes from.
    pub causes: Vec<String>,
    /// What to do about it.
    pub fix: Option<String>,
    /// The sync that is concerned.
    pub sync_id: Option<Uuid>,
    /// Type of the record in which the cause lies.
    pub record_type: Option<RecordType>,
    /// Id of that record in the onboarding portal.
    pub source_id: Option<String>,
}
