//! A company: ship manager or owner. Arrives embedded in its vessels.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    Accepted, ContentHash, Finding, Rejection, Rules, SourceId, Version,
    inspection::Inspection,
    lenient::{optional, required},
    revocation::RecordHead,
    values::{CountryCode, Email, ImoCompanyNumber},
};

/// A company as it arrives, unparsed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CompanyDraft {
    /// Its id in the onboarding portal.
    pub id: String,
    /// Its name.
    pub name: String,
    /// IMO company number.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub imo_company_number: Option<String>,
    /// Country, ISO 3166-1 alpha-2.
    pub country: String,
    /// Where to write to it.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// When it last changed.
    #[serde(deserialize_with = "required")]
    pub updated_at: DateTime<Utc>,
}

/// A company that passed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Company {
    /// Its id in the onboarding portal.
    pub source_id: SourceId,
    /// Its name.
    pub name: String,
    /// IMO company number.
    pub imo_company_number: Option<ImoCompanyNumber>,
    /// Where it is seated.
    pub country: CountryCode,
    /// Where to write to it.
    pub email: Option<Email>,
}

impl CompanyDraft {
    /// Parses the draft.
    ///
    /// # Errors
    ///
    /// A rejection with everything that is wrong with it; pointers begin at the company itself.
    pub fn accept(self, rules: &Rules) -> Result<Accepted<Company>, Rejection> {
        let version = Version::new(self.updated_at, ContentHash::of(&self));
        let label = self.name.trim().to_owned();
        let mut inspection = Inspection::default();
        inspection.check_version_time(self.updated_at, rules);
        let source_id = inspection.source_id("/id", &self.id);
        let name = inspection.text("/name", &self.name, 200);
        let imo_company_number = inspection.parsed_optional(self.imo_company_number.as_deref().map(|text| {
            text.parse().map_err(|e: crate::values::ImoNumberError| {
                Finding::error(e.code(), "/imoCompanyNumber", e).with_value(text)
            })
        }));
        let country = inspection.parsed(
            self.country
                .parse()
                .map_err(|e| Finding::error("country_unknown", "/country", e).with_value(&self.country)),
        );
        // Nobody signs in by it, so a malformed one is no reason to hold back a company and its vessels.
        let email = self.email.as_deref().and_then(|text| {
            inspection.parsed(text.parse().map_err(|e| {
                let message = format!("{e}; it is left out");
                Finding::warning("email_malformed", "/email", message).with_value(Email::mask(text))
            }))
        });
        let record = (|| {
            Some(Company {
                source_id: source_id?,
                name: name?,
                imo_company_number: imo_company_number?,
                country: country?,
                email,
            })
        })();
        let head = RecordHead { id: Some(self.id), ..RecordHead::default() };
        inspection.finish(&head, rules, label, &[], version, record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> CompanyDraft {
        CompanyDraft {
            id: "c-1".into(),
            name: "Nordic Bulk AS".into(),
            imo_company_number: Some("2041999".into()),
            country: "NO".into(),
            email: Some("post@nordicbulk.example.com".into()),
            updated_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_sound_company_is_accepted_without_warnings() {
        let accepted = draft().accept(&Rules::at(DateTime::UNIX_EPOCH)).unwrap();
        assert_eq!(accepted.label, "Nordic Bulk AS");
        assert!(accepted.warnings.is_empty());
    }

    #[test]
    fn malformed_address_is_left_out_with_a_warning() {
        let draft = CompanyDraft { email: Some("post at nordicbulk".into()), ..draft() };
        let accepted = draft.accept(&Rules::at(DateTime::UNIX_EPOCH)).unwrap();
        assert_eq!(accepted.record.email, None);
        let [warning] = &accepted.warnings[..] else { panic!("{:?}", accepted.warnings) };
        assert_eq!((warning.code, warning.pointer.as_str()), ("email_malformed", "/email"));
        assert_eq!(warning.message, "must be an e-mail address; it is left out");
    }

    #[test]
    fn blank_values_are_absent_and_leave_the_same_hash() {
        let read = |number, email| {
            let json = serde_json::json!({"id": "c-1", "name": "Nordic Bulk AS", "country": "NO",
                "imoCompanyNumber": number, "email": email, "updatedAt": "1970-01-01T00:00:00Z"});
            serde_json::from_value::<CompanyDraft>(json)
                .unwrap()
                .accept(&Rules::at(DateTime::UNIX_EPOCH))
                .unwrap()
        };
        let (blank, absent) = (read(Some(""), Some(" ")), read(None, None));
        assert_eq!((&blank.record, blank.version), (&absent.record, absent.version));
        assert_eq!(blank.warnings, []);
    }

    #[test]
    fn all_faults_are_found_at_once_and_the_address_is_masked() {
        let draft = CompanyDraft {
            name: " ".into(),
            imo_company_number: Some("9074729".into()),
            country: "XX".into(),
            email: Some("ola nordmann@example.com".into()),
            ..draft()
        };
        let rejection = draft.accept(&Rules::at(DateTime::UNIX_EPOCH)).unwrap_err();
        let found: Vec<_> = rejection.findings.iter().map(|f| (f.code, f.pointer.as_str())).collect();
        assert_eq!(
            found,
            [
                ("blank", "/name"),
                ("imo_number_check_digit", "/imoCompanyNumber"),
                ("country_unknown", "/country"),
                ("email_malformed", "/email"),
            ]
        );
        assert_eq!(rejection.findings[3].value.as_deref(), Some("o***@e***.com"));
    }
}
