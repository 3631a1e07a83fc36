//! A person with an account in the maintenance portal.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    Accepted, ContentHash, Finding, Rejection, Rules, SourceId, Version,
    inspection::Inspection,
    lenient::{list, optional, required},
    rank::Rank,
    revocation::{RecordHead, Withdrawal, has_signed_off},
    values::Email,
    vocabulary::vocabulary,
};

vocabulary!(
    /// Where a person works.
    Workplace {
        /// On board.
        Ship = "ship",
        /// Ashore.
        Shore = "shore",
    }
);

vocabulary!(
    /// Why a user may not sign in to the maintenance portal; the column of the view `user_access`.
    LockReason {
        /// The user is not active in the onboarding portal.
        Deactivated = "deactivated",
        /// The approval of the user was withdrawn.
        Withdrawn = "withdrawn",
        /// The last day on board has passed.
        SignedOff = "signed_off",
    }
);

/// A user as it arrives, unparsed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserDraft {
    /// Its id in the onboarding portal.
    pub id: String,
    /// Where to write to, and the name of the account.
    pub email: String,
    /// First names; some people have none.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// Last name, or the only one.
    pub family_name: String,
    /// The company's number for the person.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub employee_number: Option<String>,
    /// Rank or position, in words.
    pub rank: String,
    /// Department, in words.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// Word of [`Workplace`].
    pub workplace: String,
    /// Employer, by its id in the onboarding portal.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub company_id: Option<String>,
    /// The vessels whose data the person may see, by their ids in the onboarding portal.
    #[serde(default, deserialize_with = "list")]
    pub vessel_ids: Vec<String>,
    /// First day on board.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub sign_on: Option<NaiveDate>,
    /// Last day on board.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub sign_off: Option<NaiveDate>,
    /// Whether the account may be used.
    pub active: bool,
    /// When it last changed.
    #[serde(deserialize_with = "required")]
    pub updated_at: DateTime<Utc>,
    /// When its approval was withdrawn.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub withdrawn_at: Option<DateTime<Utc>>,
}

/// A user that passed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct User {
    /// Its id in the onboarding portal.
    pub source_id: SourceId,
    /// Where to write to, and the name of the account.
    pub email: Email,
    /// First names.
    pub given_name: Option<String>,
    /// Last name, or the only one.
    pub family_name: String,
    /// The company's number for the person.
    pub employee_number: Option<String>,
    /// A word of [`Rank`], or as it came if that does not know it.
    pub rank: String,
    /// Department, in words.
    pub department: Option<String>,
    /// Where the person works.
    pub workplace: Workplace,
    /// Employer, by its id in the onboarding portal.
    pub company_source_id: Option<SourceId>,
    /// The vessels whose data the person may see, by their ids in the onboarding portal; each once, in order.
    pub vessel_source_ids: Vec<SourceId>,
    /// First day on board.
    pub sign_on: Option<NaiveDate>,
    /// Last day on board.
    pub sign_off: Option<NaiveDate>,
    /// Whether the account may be used.
    pub active: bool,
    /// Whether the approval was withdrawn: then the record is a tombstone.
    pub withdrawal: Withdrawal,
}

impl UserDraft {
    /// Parses the draft. The role follows from the mapping that is in force when the user is written.
    ///
    /// # Errors
    ///
    /// A rejection with every fault of the draft; personal data in it is masked.
    pub fn accept(self, rules: &Rules) -> Result<Accepted<User>, Rejection> {
        let version = Version::new(self.updated_at, ContentHash::of(&self));
        let label = format!("{}, {}", self.rank.trim(), Email::mask(&self.email));
        let mut inspection = Inspection::default();
        inspection.check_version_time(self.updated_at, rules);
        let record = self.parse(&mut inspection, rules);
        self.check_dates(&mut inspection, rules);
        inspection.finish(&self.head(), rules, label, &self.vessel_ids, version, record)
    }

    fn head(&self) -> RecordHead {
        RecordHead {
            id: Some(self.id.clone()),
            updated_at: Some(self.updated_at),
            withdrawn_at: self.withdrawn_at,
            active: Some(self.active),
            sign_off: self.sign_off,
        }
    }

    /// Parses every field before it gives up, so that all faults are found at once.
    fn parse(&self, inspection: &mut Inspection, rules: &Rules) -> Option<User> {
        let source_id = inspection.source_id("/id", &self.id);
        let email = inspection.parsed(self.email.parse().map_err(|e| {
            Finding::error("email_malformed", "/email", e).with_value(Email::mask(&self.email))
        }));
        let given_name = inspection.optional_text("/givenName", self.given_name.as_deref(), 100);
        let family_name = inspection.text("/familyName", &self.family_name, 100);
        let employee_number =
            inspection.optional_text("/employeeNumber", self.employee_number.as_deref(), 50);
        let rank = inspection.text("/rank", &self.rank, 100);
        let department = inspection.optional_text("/department", self.department.as_deref(), 100);
        let workplace = inspection.word("workplace_unknown", "/workplace", &self.workplace, Workplace::ALL);
        let known_rank = rank.as_deref().and_then(Rank::recognise);
        let company_source_id = inspection.parsed_optional(self.company_id.as_deref().map(|text| {
            text.parse().map_err(|e| Finding::error("id_malformed", "/companyId", e).with_value(text))
        }));
        let mut vessel_source_ids = BTreeSet::new();
        for (i, id) in self.vessel_ids.iter().enumerate() {
            vessel_source_ids.extend(inspection.source_id(&format!("/vesselIds/{i}"), id));
        }
        if workplace == Some(Workplace::Ship) && self.active && self.vessel_ids.is_empty() {
            let message = "works on board and is assigned to no vessel";
            inspection.add(Finding::warning("seafarer_without_vessel", "/vesselIds", message));
        }
        let sign_on = inspection.date("/signOn", self.sign_on);
        let sign_off = inspection.end_date("/signOff", self.sign_off);
        let withdrawal = inspection.withdrawal(self.withdrawn_at, rules);
        Some(User {
            source_id: source_id?,
            email: email?,
            given_name: given_name?,
            family_name: family_name?,
            employee_number: employee_number?,
            rank: known_rank.map_or(rank?, |rank| rank.as_str().to_owned()),
            department: department?,
            workplace: workplace?,
            company_source_id: company_source_id?,
            vessel_source_ids: vessel_source_ids.into_iter().collect(),
            sign_on: sign_on?,
            sign_off: sign_off?,
            active: self.active,
            withdrawal,
        })
    }

    fn check_dates(&self, inspection: &mut Inspection, rules: &Rules) {
        if let (Some(on), Some(off)) = (self.sign_on, self.sign_off)
            && off < on
        {
            let message = "signs off before signing on";
            inspection.add(Finding::error("sign_off_before_sign_on", "/signOff", message).with_value(off));
        }
        if let Some(off) = self.sign_off
            && self.active
            && has_signed_off(self.sign_off, rules.now)
        {
            let message = "has signed off and is still active: the user is locked out";
            inspection.add(Finding::warning("signed_off_and_active", "/signOff", message).with_value(off));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn draft() -> UserDraft {
        serde_json::from_value(json!({
            "id": "u-1", "email": "Ola.Nordmann@Example.com", "givenName": "Ola", "familyName": "Nordmann",
            "employeeNumber": "1001", "rank": "Chief Engineer", "department": "engine", "workplace": "ship",
            "companyId": "c-1", "vesselIds": ["v-2", "v-1", "v-2"], "signOn": "2026-01-01", "active": true,
            "updatedAt": "2026-05-01T00:00:00Z"
        }))
        .unwrap()
    }

    fn rules() -> Rules {
        Rules::at("2026-06-01T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_user_is_accepted_in_canonical_form() {
        let user = draft().accept(&rules()).unwrap().record;
        assert_eq!((user.rank.as_str(), user.email.as_str()), ("chief_engineer", "ola.nordmann@example.com"));
        assert_eq!(user.vessel_source_ids.iter().map(SourceId::as_str).collect::<Vec<_>>(), ["v-1", "v-2"]);
        let admiral = UserDraft { rank: "Grand Admiral".into(), ..draft() }.accept(&rules()).unwrap();
        assert_eq!(admiral.record.rank, "Grand Admiral");
    }

    #[test]
    fn an_account_that_outlives_its_contract_is_let_in_with_a_warning() {
        let signed_off = |day: &str| UserDraft { sign_off: Some(day.parse().unwrap()), ..draft() };
        let codes = |draft: UserDraft| {
            draft.accept(&rules()).unwrap().warnings.into_iter().map(|it| it.code).collect::<Vec<_>>()
        };
        assert_eq!(codes(signed_off("2026-05-31")), ["signed_off_and_active"]);
        assert_eq!(codes(signed_off("2026-06-01")), [""; 0]);
        assert_eq!(codes(UserDraft { active: false, ..signed_off("2026-05-31") }), [""; 0]);
    }

    #[test]
    fn blank_values_leave_the_hash_that_is_stored_in_every_row() {
        let hash = |draft: UserDraft| draft.accept(&rules()).unwrap().version.hash.to_string();
        assert_eq!(hash(draft()), "df93c071dea5e72d53d900634ce57721");
        let mut json = serde_json::to_value(draft()).unwrap();
        (json["signOff"], json["withdrawnAt"]) = ("".into(), json!(null));
        assert_eq!(hash(serde_json::from_value(json).unwrap()), "df93c071dea5e72d53d900634ce57721");
    }

    #[test]
    fn date_far_away_is_out_of_range_and_a_contract_may_have_no_end() {
        let read = |sign_on: &str, sign_off: &str| {
            let mut json = serde_json::to_value(draft()).unwrap();
            (json["signOn"], json["signOff"]) = (sign_on.into(), sign_off.into());
            serde_json::from_value::<UserDraft>(json).unwrap().accept(&rules())
        };
        let endless = read("2026-01-01", "9999-12-31").unwrap();
        assert_eq!(endless.record.sign_off, NaiveDate::from_ymd_opt(9999, 12, 31));
        let rejection = read("1899-12-30", "200000-01-01").unwrap_err();
        let found: Vec<_> = rejection.findings.iter().map(|it| (it.code, it.pointer.as_str())).collect();
        assert_eq!(found, [("out_of_range", "/signOn"), ("out_of_range", "/signOff")]);
    }

    #[test]
    fn an_empty_rank_rejects() {
        let rejection = UserDraft { rank: "  ".into(), ..draft() }.accept(&rules()).unwrap_err();
        assert_eq!((rejection.findings[0].code, rejection.findings[0].pointer.as_str()), ("blank", "/rank"));
    }

    #[test]
    fn a_rejection_shows_no_persons_name_or_address() {
        let draft =
            UserDraft { email: "ola.nordmann.example.com".into(), workplace: "space".into(), ..draft() };
        let rejection = draft.accept(&rules()).unwrap_err();
        let text = format!("{rejection:?}");
        assert!(!text.to_lowercase().contains("nordmann"), "{text}");
    }
}
