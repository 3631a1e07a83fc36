//! What is to be done to a piece of equipment, and when.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::{
    Finding, SourceId, inspection::Inspection, lenient::optional, rank::Rank, values::Interval,
    vocabulary::vocabulary,
};

vocabulary!(
    /// Why a job is done.
    MaintenanceKind {
        /// Before it fails.
        Preventive = "preventive",
        /// After what was measured.
        Condition = "condition",
        /// To see that a stand-by unit starts.
        StandbyTest = "standby_test",
        /// For the classification society.
        ClassSurvey = "class_survey",
    }
);

/// A maintenance schedule as it arrives, unparsed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MaintenanceScheduleDraft {
    /// Its id in the onboarding portal.
    pub id: String,
    /// The job's code.
    pub job_code: String,
    /// The job's title.
    pub title: String,
    /// How it is done.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub procedure: Option<String>,
    /// Word of [`MaintenanceKind`].
    pub kind: String,
    /// By calendar, days.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub every_days: Option<i32>,
    /// By counter, running hours.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub every_hours: Option<i32>,
    /// How early or late it may be done, days.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub tolerance_days: Option<i32>,
    /// Whose job it is.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub responsible_rank: Option<String>,
    /// The classification society's item.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub class_item_code: Option<String>,
    /// When it was last done. The ship's own after the first sync.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub last_done_on: Option<NaiveDate>,
}

/// A maintenance schedule that passed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MaintenanceSchedule {
    /// Its id in the onboarding portal.
    pub source_id: SourceId,
    /// The job's code.
    pub job_code: String,
    /// The job's title.
    pub title: String,
    /// How it is done.
    pub procedure: Option<String>,
    /// Why it is done.
    pub kind: MaintenanceKind,
    /// How often.
    pub interval: Interval,
    /// How early or late it may be done, days.
    pub tolerance_days: Option<i32>,
    /// Whose job it is: a word of [`Rank`], or as it came if that does not know it.
    pub responsible_rank: Option<String>,
    /// The classification society's item.
    pub class_item_code: Option<String>,
    /// When it was last done: what the ship starts with, never overwritten.
    pub last_done_on: Option<NaiveDate>,
}

impl MaintenanceScheduleDraft {
    pub(super) fn parse(
        self,
        inspection: &mut Inspection,
        at: &str,
        today: NaiveDate,
    ) -> Option<MaintenanceSchedule> {
        let source_id = inspection.source_id(&format!("{at}/id"), &self.id);
        let job_code = inspection.text(&format!("{at}/jobCode"), &self.job_code, 50);
        let title = inspection.text(&format!("{at}/title"), &self.title, 200);
        let procedure =
            inspection.optional_lines(&format!("{at}/procedure"), self.procedure.as_deref(), 20_000);
        let kind = inspection.word(
            "maintenance_kind_unknown",
            &format!("{at}/kind"),
            &self.kind,
            MaintenanceKind::ALL,
        );
        let interval = inspection.parsed(
            Interval::new(self.every_days, self.every_hours)
                .map_err(|e| Finding::error("interval_malformed", at, e)),
        );
        let tolerance_days =
            inspection.in_range(&format!("{at}/toleranceDays"), self.tolerance_days, 0..=3650);
        if let (Some(tolerance), Some(days)) = (self.tolerance_days, self.every_days)
            && tolerance >= days
        {
            let finding = Finding::warning(
                "tolerance_too_wide",
                format!("{at}/toleranceDays"),
                "is as long as the interval",
            );
            inspection.add(finding.with_value(tolerance));
        }
        let responsible_rank = self.parse_responsible_rank(inspection, at);
        let class_item_code =
            inspection.optional_text(&format!("{at}/classItemCode"), self.class_item_code.as_deref(), 50);
        let last_done_on = inspection.date(&format!("{at}/lastDoneOn"), self.last_done_on);
        if let Some(Some(done)) = last_done_on
            && done > today
        {
            let message = "lies in the future";
            let finding = Finding::warning("last_done_in_future", format!("{at}/lastDoneOn"), message);
            inspection.add(finding.with_value(done));
        }
        Some(MaintenanceSchedule {
            source_id: source_id?,
            job_code: job_code?,
            title: title?,
            procedure: procedure?,
            kind: kind?,
            interval: interval?,
            tolerance_days: tolerance_days?,
            responsible_rank: responsible_rank?,
            class_item_code: class_item_code?,
            last_done_on: last_done_on?,
        })
    }

    fn parse_responsible_rank(&self, inspection: &mut Inspection, at: &str) -> Option<Option<String>> {
        let pointer = format!("{at}/responsibleRank");
        let rank = inspection.optional_text(&pointer, self.responsible_rank.as_deref(), 100)?;
        Some(rank.map(|text| match Rank::recognise(&text) {
            Some(rank) => rank.as_str().to_owned(),
            None => {
                let finding = Finding::warning("unknown_rank", &pointer, "is not a known rank");
                inspection.add(finding.with_value(&text));
                text
            }
        }))
    }
}
