//! A record as it is stored: its JSON text, and the columns that lists are filtered by.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::Kind;
use crate::shapes::{Company, Equipment, User, Vessel};

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Document {
    pub(crate) id: String,
    pub(crate) company_id: Option<String>,
    pub(crate) vessel_ids: Vec<String>,
    pub(crate) text: String,
}

/// A shape that is stored as a record.
pub(crate) trait Record: Serialize + DeserializeOwned {
    const KIND: Kind;

    fn document(&self) -> Document;
}

impl Record for Company {
    const KIND: Kind = Kind::Company;

    fn document(&self) -> Document {
        Document { id: self.id.clone(), company_id: None, vessel_ids: Vec::new(), text: json_text(self) }
    }
}

impl Record for Vessel {
    const KIND: Kind = Kind::Vessel;

    fn document(&self) -> Document {
        let company_id = Some(self.company_id.clone());
        Document { id: self.id.clone(), company_id, vessel_ids: Vec::new(), text: json_text(self) }
    }
}

impl Record for Equipment {
    const KIND: Kind = Kind::Equipment;

    fn document(&self) -> Document {
        let vessel_ids = vec![self.vessel_id.clone()];
        Document { id: self.id.clone(), company_id: None, vessel_ids, text: json_text(self) }
    }
}

impl Record for User {
    const KIND: Kind = Kind::User;

    fn document(&self) -> Document {
        let vessel_ids = self.vessel_ids.clone();
        Document {
            id: self.id.clone(),
            company_id: self.company_id.clone(),
            vessel_ids,
            text: json_text(self),
        }
    }
}

fn json_text(record: &impl Serialize) -> String {
    serde_json::to_string(record).expect("records are structs with text keys")
}

impl Document {
    /// Parses what somebody entered. The error says which field is missing, unknown or of a wrong type.
    pub(crate) fn parse(kind: Kind, entered: &Value) -> Result<Self, serde_json::Error> {
        fn parse_as<T: Record>(entered: &Value) -> Result<Document, serde_json::Error> {
            Ok(T::deserialize(entered)?.document())
        }
        match kind {
            Kind::Company => parse_as::<Company>(entered),
            Kind::Vessel => parse_as::<Vessel>(entered),
            Kind::Equipment => parse_as::<Equipment>(entered),
            Kind::User => parse_as::<User>(entered),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn record_with_a_wrong_value_of_the_right_type_is_accepted() {
        let company = json!({"id": "c-1", "name": "Nordhavn Bulk AS", "country": "Atlantis"});
        assert_eq!(Document::parse(Kind::Company, &company).unwrap().id, "c-1");
    }

    #[test]
    fn record_with_a_wrong_type_or_unknown_field_is_refused_by_name() {
        let refusal = |entered| Document::parse(Kind::Company, &entered).unwrap_err().to_string();
        let error = refusal(json!({"id": "c-1", "name": 7, "country": "NO"}));
        assert!(error.contains("expected a string"), "{error}");
        let error = refusal(json!({"id": "c-1", "nmae": "x", "country": "NO"}));
        assert!(error.contains("unknown field `nmae`"), "{error}");
    }

    #[test]
    fn user_document_holds_its_vessels_and_company_as_columns() {
        let user = json!({"id": "u-1", "email": "a@b.example", "familyName": "A", "rank": "AB", "workplace": "ship",
            "companyId": "c-1", "vesselIds": ["v-1", "v-2"], "active": true});
        let document = Document::parse(Kind::User, &user).unwrap();
        assert_eq!(document.vessel_ids, ["v-1", "v-2"]);
        assert_eq!(document.company_id.as_deref(), Some("c-1"));
    }
}
