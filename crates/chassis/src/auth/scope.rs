//! Which part of the fleet a token is for. A token without one is for the whole fleet.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::names::check_name;

/// The claim that lists vessels.
pub(super) const VESSELS_CLAIM: &str = "vessels";
/// The claim that lists companies.
pub(super) const COMPANIES_CLAIM: &str = "companies";

/// Most vessels and most companies of a token: the whole of it must fit into a header.
const ENTRIES_LIMIT: usize = 200;

/// The vessels and companies that a token is limited to: what belongs to any of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct TokenScope {
    /// By IMO number, or id in the onboarding portal.
    pub vessels: BTreeSet<String>,
    /// By id in the onboarding portal, or IMO company number.
    pub companies: BTreeSet<String>,
}

impl TokenScope {
    /// The scope that the claims of a token give. None: the whole fleet, as neither claim is there. A claim that is there and is
    /// no list of names limits to nothing that can be told, so the token is not valid.
    pub(super) fn of_claims(claims: &BTreeMap<String, Value>) -> Result<Option<Self>, &'static str> {
        if !claims.contains_key(VESSELS_CLAIM) && !claims.contains_key(COMPANIES_CLAIM) {
            return Ok(None);
        }
        let of = |claim: &'static str| match claims.get(claim) {
            None => Ok(BTreeSet::new()),
            Some(value) => names(value).ok_or(claim),
        };
        Ok(Some(Self { vessels: of(VESSELS_CLAIM)?, companies: of(COMPANIES_CLAIM)? }))
    }

    /// What is wrong with it, for whoever mints a token.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        if self.vessels.len() > ENTRIES_LIMIT || self.companies.len() > ENTRIES_LIMIT {
            return Err("has more than 200 vessels or companies");
        }
        self.vessels.iter().chain(&self.companies).try_for_each(|name| check_name(name))
    }
}

fn names(value: &Value) -> Option<BTreeSet<String>> {
    let names = value.as_array().filter(|names| names.len() <= ENTRIES_LIMIT)?;
    let name = |name: &Value| name.as_str().filter(|name| check_name(name).is_ok()).map(plain_number);
    names.iter().map(name).collect()
}

/// An IMO number without its prefix, as people write it (`IMO 9619907`); any other name as it is.
fn plain_number(name: &str) -> String {
    let has_prefix = name.get(..3).is_some_and(|prefix| prefix.eq_ignore_ascii_case("imo"));
    let number = if has_prefix { name[3..].trim_start() } else { name };
    let is_number = number.len() == 7 && number.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { number.to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scope(claims: Value) -> Result<Option<TokenScope>, &'static str> {
        TokenScope::of_claims(&serde_json::from_value(claims).expect("an object"))
    }

    #[test]
    fn token_without_the_claims_is_for_the_whole_fleet() {
        assert_eq!(scope(json!({ "sub": "anna" })), Ok(None));
    }

    #[test]
    fn empty_list_is_no_vessel_at_all() {
        assert_eq!(scope(json!({ "vessels": [] })), Ok(Some(TokenScope::default())));
    }

    #[test]
    fn number_may_have_its_prefix() {
        let vessels = ["IMO 9619907", "imo9074729", "imo-7", "v-1"];
        let found = scope(json!({ "vessels": vessels })).unwrap().unwrap().vessels;
        assert_eq!(found, ["9619907", "9074729", "imo-7", "v-1"].map(str::to_owned).into());
    }

    #[test]
    fn claim_that_is_no_list_of_names_is_refused() {
        for wrong in
            [json!(null), json!("9619907"), json!([9_619_907]), json!([""]), json!({}), json!(["a\n"])]
        {
            assert_eq!(scope(json!({ "vessels": wrong })), Err("vessels"), "{wrong}");
            assert_eq!(
                scope(json!({ "companies": wrong, "vessels": ["9619907"] })),
                Err("companies"),
                "{wrong}"
            );
        }
        let many: Vec<String> = (0..=ENTRIES_LIMIT).map(|n| n.to_string()).collect();
        assert_eq!(scope(json!({ "vessels": many })), Err("vessels"));
    }
}
