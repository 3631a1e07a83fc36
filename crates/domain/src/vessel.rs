//! A vessel, with its company embedded.

use chrono::{DateTime, Datelike, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    Accepted, ContentHash, Finding, Rejection, Rules, SourceId, Version,
    company::CompanyDraft,
    inspection::Inspection,
    lenient::{optional, required},
    revocation::{RecordHead, Withdrawal},
    values::{CallSign, CountryCode, ImoNumber, ImoNumberError, Mmsi, MmsiError},
    vocabulary::{UnknownWord, vocabulary},
};

vocabulary!(
    /// Kinds of vessel that matter to maintenance.
    VesselType {
        /// Dry cargo in bulk.
        BulkCarrier = "bulk_carrier",
        /// Containers.
        Container = "container",
        /// Mixed dry cargo.
        GeneralCargo = "general_cargo",
        /// Rolling cargo.
        RoRo = "ro_ro",
        /// Cars.
        CarCarrier = "car_carrier",
        /// Crude oil.
        OilTanker = "oil_tanker",
        /// Oil products.
        ProductTanker = "product_tanker",
        /// Chemicals.
        ChemicalTanker = "chemical_tanker",
        /// Liquefied natural gas.
        LngCarrier = "lng_carrier",
        /// Liquefied petroleum gas.
        LpgCarrier = "lpg_carrier",
        /// Refrigerated cargo.
        Reefer = "reefer",
        /// Cruises.
        Cruise = "cruise",
        /// Ferries.
        Ferry = "ferry",
        /// Offshore supply, anchor handling, platform supply.
        OffshoreSupply = "offshore_supply",
        /// Tugs.
        Tug = "tug",
        /// Dredgers.
        Dredger = "dredger",
        /// Fishing vessels.
        Fishing = "fishing",
        /// Floating production, storage and offloading.
        Fpso = "fpso",
        /// Mobile offshore drilling units.
        Modu = "modu",
        /// Yachts.
        Yacht = "yacht",
        /// Anything else.
        Other = "other",
    }
);

vocabulary!(
    /// What a vessel, or a piece of equipment, is doing.
    ServiceStatus {
        /// Working.
        InService = "in_service",
        /// Laid up.
        LaidUp = "laid_up",
        /// In dry-dock.
        DryDock = "dry_dock",
        /// Being built.
        UnderConstruction = "under_construction",
        /// Not working until repaired.
        OutOfService = "out_of_service",
        /// Gone.
        Scrapped = "scrapped",
    }
);

/// A vessel as it arrives, unparsed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VesselDraft {
    /// Its id in the onboarding portal.
    pub id: String,
    /// Ship identification number.
    pub imo_number: String,
    /// Its name.
    pub name: String,
    /// Maritime mobile service identity.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub mmsi: Option<String>,
    /// Radio call sign.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub call_sign: Option<String>,
    /// Flag state, ISO 3166-1 alpha-2.
    pub flag: String,
    /// Where it is registered.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub port_of_registry: Option<String>,
    /// Word of [`VesselType`].
    pub vessel_type: String,
    /// Gross tonnage, no unit.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub gross_tonnage: Option<i32>,
    /// Net tonnage, no unit.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub net_tonnage: Option<i32>,
    /// Deadweight, tonnes.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub deadweight: Option<i32>,
    /// Length over all, metres.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub length_overall_m: Option<f64>,
    /// Beam, metres.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub beam_m: Option<f64>,
    /// Draught, metres.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub draught_m: Option<f64>,
    /// Year of building.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub build_year: Option<i32>,
    /// Who built it.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub shipyard: Option<String>,
    /// The yard's number.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub hull_number: Option<String>,
    /// Classification society.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub class_society: Option<String>,
    /// Maker and type of the main engine.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub main_engine: Option<String>,
    /// Word of [`ServiceStatus`].
    pub service_status: String,
    /// Who runs it.
    pub company: CompanyDraft,
    /// When it last changed.
    #[serde(deserialize_with = "required")]
    pub updated_at: DateTime<Utc>,
    /// When its approval was withdrawn.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub withdrawn_at: Option<DateTime<Utc>>,
}

/// A vessel that passed.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Vessel {
    /// Its id in the onboarding portal.
    pub source_id: SourceId,
    /// Its company's id in the onboarding portal.
    pub company_source_id: SourceId,
    /// Ship identification number.
    pub imo_number: ImoNumber,
    /// Its name.
    pub name: String,
    /// Maritime mobile service identity.
    pub mmsi: Option<Mmsi>,
    /// Radio call sign.
    pub call_sign: Option<CallSign>,
    /// Flag state.
    pub flag: CountryCode,
    /// Where it is registered.
    pub port_of_registry: Option<String>,
    /// What it is.
    pub vessel_type: VesselType,
    /// Gross tonnage, no unit.
    pub gross_tonnage: Option<i32>,
    /// Net tonnage, no unit.
    pub net_tonnage: Option<i32>,
    /// Deadweight, tonnes.
    pub deadweight: Option<i32>,
    /// Length over all, metres.
    pub length_overall_m: Option<f64>,
    /// Beam, metres.
    pub beam_m: Option<f64>,
    /// Draught, metres.
    pub draught_m: Option<f64>,
    /// Year of building.
    pub build_year: Option<i32>,
    /// Who built it.
    pub shipyard: Option<String>,
    /// The yard's number.
    pub hull_number: Option<String>,
    /// Classification society.
    pub class_society: Option<String>,
    /// Maker and type of the main engine.
    pub main_engine: Option<String>,
    /// What it is doing.
    pub service_status: ServiceStatus,
    /// Whether the approval was withdrawn: then the record is a tombstone.
    pub withdrawal: Withdrawal,
}

struct RadioIdentity {
    flag: Option<CountryCode>,
    mmsi: Option<Option<Mmsi>>,
    call_sign: Option<Option<CallSign>>,
}

impl VesselDraft {
    /// Parses the draft; of the embedded company only the id.
    ///
    /// # Errors
    ///
    /// A rejection with every fault of the draft.
    pub fn accept(self, rules: &Rules) -> Result<Accepted<Vessel>, Rejection> {
        let version = Version::new(self.updated_at, self.content_hash());
        let label = format!("{} (IMO {})", self.name.trim(), self.imo_number.trim());
        let mut inspection = Inspection::default();
        inspection.check_version_time(self.updated_at, rules);
        let record = self.parse(&mut inspection, rules);
        inspection.finish(&self.head(), rules, label, std::slice::from_ref(&self.id), version, record)
    }

    fn head(&self) -> RecordHead {
        RecordHead {
            id: Some(self.id.clone()),
            updated_at: Some(self.updated_at),
            withdrawn_at: self.withdrawn_at,
            active: None,
            sign_off: None,
        }
    }

    /// Parses every field before it gives up, so that all faults are found at once.
    fn parse(&self, inspection: &mut Inspection, rules: &Rules) -> Option<Vessel> {
        let source_id = inspection.source_id("/id", &self.id);
        let company_source_id = inspection.source_id("/company/id", &self.company.id);
        let imo_number = inspection.parsed(self.imo_number.parse().map_err(|e: ImoNumberError| {
            Finding::error(e.code(), "/imoNumber", e).with_value(&self.imo_number)
        }));
        let name = inspection.text("/name", &self.name, 200);
        let RadioIdentity { flag, mmsi, call_sign } = self.parse_radio_identity(inspection);
        let vessel_type = self.parse_vessel_type(inspection);
        let service_status = inspection.word(
            "service_status_unknown",
            "/serviceStatus",
            &self.service_status,
            ServiceStatus::ALL,
        );
        let (gross_tonnage, net_tonnage) = self.parse_tonnages(inspection);
        let deadweight = inspection.in_range("/deadweight", self.deadweight, 0..=1_000_000);
        let length_overall_m = inspection.in_range("/lengthOverallM", self.length_overall_m, 1.0..=600.0);
        let beam_m = inspection.in_range("/beamM", self.beam_m, 0.5..=150.0);
        let draught_m = inspection.in_range("/draughtM", self.draught_m, 0.1..=50.0);
        let build_year = inspection.in_range("/buildYear", self.build_year, 1850..=rules.now.year() + 6);
        let port_of_registry =
            inspection.optional_text("/portOfRegistry", self.port_of_registry.as_deref(), 100);
        let shipyard = inspection.optional_text("/shipyard", self.shipyard.as_deref(), 200);
        let hull_number = inspection.optional_text("/hullNumber", self.hull_number.as_deref(), 50);
        let class_society = inspection.optional_text("/classSociety", self.class_society.as_deref(), 100);
        let main_engine = inspection.optional_text("/mainEngine", self.main_engine.as_deref(), 200);
        let withdrawal = inspection.withdrawal(self.withdrawn_at, rules);
        Some(Vessel {
            source_id: source_id?,
            company_source_id: company_source_id?,
            imo_number: imo_number?,
            name: name?,
            mmsi: mmsi?,
            call_sign: call_sign?,
            flag: flag?,
            port_of_registry: port_of_registry?,
            vessel_type,
            gross_tonnage: gross_tonnage?,
            net_tonnage: net_tonnage?,
            deadweight: deadweight?,
            length_overall_m: length_overall_m?,
            beam_m: beam_m?,
            draught_m: draught_m?,
            build_year: build_year?,
            shipyard: shipyard?,
            hull_number: hull_number?,
            class_society: class_society?,
            main_engine: main_engine?,
            service_status: service_status?,
            withdrawal,
        })
    }

    /// MMSI and call sign name a flag, too: a difference is a warning.
    fn parse_radio_identity(&self, inspection: &mut Inspection) -> RadioIdentity {
        let flag: Option<CountryCode> = inspection.parsed(
            self.flag
                .parse()
                .map_err(|e| Finding::error("country_unknown", "/flag", e).with_value(&self.flag)),
        );
        let mmsi: Option<Option<Mmsi>> = inspection.parsed_optional(self.mmsi.as_deref().map(|text| {
            text.parse().map_err(|e: MmsiError| Finding::error(e.code(), "/mmsi", e).with_value(text))
        }));
        if let (Some(Some(mmsi)), Some(flag)) = (&mmsi, &flag)
            && !mmsi.agrees_with(flag)
        {
            let message = format!("its MID {} is not of the flag {flag}", mmsi.mid());
            inspection.add(Finding::warning("mmsi_flag_mismatch", "/mmsi", message).with_value(mmsi));
        }
        let call_sign: Option<Option<CallSign>> =
            inspection.parsed_optional(self.call_sign.as_deref().map(|text| {
                text.parse()
                    .map_err(|e| Finding::error("call_sign_malformed", "/callSign", e).with_value(text))
            }));
        if let (Some(Some(call_sign)), Some(flag)) = (&call_sign, &flag)
            && !call_sign.agrees_with(flag)
        {
            let message = format!("its prefix {} is not of the flag {flag}", call_sign.prefix());
            let finding = Finding::warning("call_sign_flag_mismatch", "/callSign", message);
            inspection.add(finding.with_value(call_sign));
        }
        RadioIdentity { flag, mmsi, call_sign }
    }

    fn parse_vessel_type(&self, inspection: &mut Inspection) -> VesselType {
        self.vessel_type.parse().unwrap_or_else(|_unknown: UnknownWord| {
            let message = "is not a known type of vessel; taken as other";
            let finding = Finding::warning("vessel_type_unknown", "/vesselType", message);
            inspection.add(finding.with_value(&self.vessel_type));
            VesselType::Other
        })
    }

    /// Gross and net tonnage.
    fn parse_tonnages(&self, inspection: &mut Inspection) -> (Option<Option<i32>>, Option<Option<i32>>) {
        let gross = inspection.in_range("/grossTonnage", self.gross_tonnage, 1..=1_000_000);
        let net = inspection.in_range("/netTonnage", self.net_tonnage, 0..=1_000_000);
        if let (Some(Some(gross)), Some(Some(net))) = (gross, net)
            && net > gross
        {
            let message = "is more than the gross tonnage";
            inspection.add(Finding::warning("net_above_gross", "/netTonnage", message).with_value(net));
        }
        (gross, net)
    }

    /// Hashes the vessel with only the id of its company, which has a version of its own.
    fn content_hash(&self) -> ContentHash {
        let mut value = serde_json::to_value(self).expect("drafts are structs with text keys");
        value["company"] = self.company.id.as_str().into();
        ContentHash::of(&value)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Severity;

    fn now() -> DateTime<Utc> {
        "2026-06-01T12:00:00Z".parse().unwrap()
    }

    fn draft() -> VesselDraft {
        serde_json::from_value(json!({
            "id": "v-1", "imoNumber": "IMO 9074729", "name": "Nordic Star", "mmsi": "257123450",
            "callSign": "ldpn", "flag": "NO", "vesselType": "bulk_carrier", "grossTonnage": 40000,
            "netTonnage": 20000, "lengthOverallM": 190.5, "buildYear": 2010, "serviceStatus": "in_service",
            "company": {"id": "c-1", "name": "Nordic Bulk AS", "country": "NO",
                        "updatedAt": "2026-01-01T00:00:00Z"},
            "updatedAt": "2026-05-01T00:00:00Z", "somethingNew": true
        }))
        .unwrap()
    }

    fn codes(findings: &[Finding]) -> Vec<(Severity, &str, &str)> {
        findings.iter().map(|f| (f.severity, f.code, f.pointer.as_str())).collect()
    }

    #[test]
    fn a_sound_vessel_is_accepted_in_its_canonical_form() {
        let accepted = draft().accept(&Rules::at(now())).unwrap();
        assert_eq!(accepted.record.imo_number.as_str(), "9074729");
        assert_eq!(accepted.record.call_sign.as_ref().unwrap().as_str(), "LDPN");
        assert_eq!(accepted.warnings, []);
    }

    #[test]
    fn a_wrong_check_digit_rejects_the_vessel_and_says_where() {
        let draft = VesselDraft { imo_number: "9074728".into(), ..draft() };
        let rejection = draft.accept(&Rules::at(now())).unwrap_err();
        assert_eq!(codes(&rejection.findings), [(Severity::Error, "imo_number_check_digit", "/imoNumber")]);
        assert_eq!(rejection.findings[0].value.as_deref(), Some("9074728"));
        assert_eq!(rejection.source_id.as_str(), "v-1");
    }

    #[test]
    fn oddities_let_it_in_with_warnings() {
        let draft = VesselDraft {
            mmsi: Some("355123000".into()),
            call_sign: Some("3EJH2".into()),
            vessel_type: "spaceship".into(),
            net_tonnage: Some(50_000),
            ..draft()
        };
        let accepted = draft.accept(&Rules::at(now())).unwrap();
        assert_eq!(
            codes(&accepted.warnings),
            [
                (Severity::Warning, "mmsi_flag_mismatch", "/mmsi"),
                (Severity::Warning, "call_sign_flag_mismatch", "/callSign"),
                (Severity::Warning, "vessel_type_unknown", "/vesselType"),
                (Severity::Warning, "net_above_gross", "/netTonnage"),
            ]
        );
    }

    #[test]
    fn a_version_from_the_future_is_quarantined_beyond_five_minutes() {
        let at = |updated_at| VesselDraft { updated_at, ..draft() };
        assert!(at(now() + chrono::Duration::minutes(5)).accept(&Rules::at(now())).is_ok());
        let rejection = at(now() + chrono::Duration::minutes(6)).accept(&Rules::at(now())).unwrap_err();
        assert_eq!(codes(&rejection.findings), [(Severity::Error, "version_from_future", "/updatedAt")]);
    }

    #[test]
    fn withdrawal_takes_effect_beside_other_faults() {
        let draft = VesselDraft { withdrawn_at: Some(now()), name: " ".into(), ..draft() };
        let rejection = draft.accept(&Rules::at(now())).unwrap_err();
        assert_eq!(rejection.revocation.unwrap().source_id.as_str(), rejection.source_id.as_str());
        assert_eq!(codes(&rejection.findings), [(Severity::Error, "blank", "/name")]);
    }

    #[test]
    fn withdrawal_in_the_future_of_a_rejected_record_is_told_of_once() {
        let at = now() + chrono::Duration::days(200);
        let rejection = VesselDraft { withdrawn_at: Some(at), name: " ".into(), ..draft() }
            .accept(&Rules::at(now()))
            .unwrap_err();
        assert_eq!(rejection.revocation, None);
        assert_eq!(
            codes(&rejection.findings),
            [
                (Severity::Error, "blank", "/name"),
                (Severity::Warning, "withdrawal_in_future", "/withdrawnAt")
            ]
        );
        assert!(rejection.findings[1].message.contains("first sync after"));
    }

    #[test]
    fn withdrawal_in_the_future_is_held_with_a_warning() {
        let at = now() + chrono::Duration::days(200);
        let accepted = VesselDraft { withdrawn_at: Some(at), ..draft() }.accept(&Rules::at(now())).unwrap();
        assert_eq!(accepted.record.withdrawal, Withdrawal::Pending(at));
        assert_eq!(codes(&accepted.warnings), [(Severity::Warning, "withdrawal_in_future", "/withdrawnAt")]);
    }

    #[test]
    fn blank_values_leave_the_hash_that_is_stored_in_every_row() {
        let hash = |draft: VesselDraft| draft.accept(&Rules::at(now())).unwrap().version.hash.to_string();
        assert_eq!(hash(draft()), "57befd691b243cbde0d52c6944baf70e");
        let mut json = serde_json::to_value(draft()).unwrap();
        for field in ["portOfRegistry", "deadweight", "beamM", "withdrawnAt", "hullNumber"] {
            json[field] = "\u{200b} ".into();
        }
        json["grossTonnage"] = json!(40_000.0);
        json["company"]["email"] = json!(null);
        assert_eq!(hash(serde_json::from_value(json).unwrap()), "57befd691b243cbde0d52c6944baf70e");
    }

    #[test]
    fn flag_of_another_register_of_the_state_is_no_mismatch() {
        for (flag, mmsi, call_sign) in
            [("IM", "235123450", "MABC2"), ("AX", "230123450", "OJAB"), ("TF", "228123450", "FTAB")]
        {
            let draft = VesselDraft {
                flag: flag.into(),
                mmsi: Some(mmsi.into()),
                call_sign: Some(call_sign.into()),
                ..draft()
            };
            assert_eq!(draft.accept(&Rules::at(now())).unwrap().warnings, [], "{flag}");
        }
    }

    #[test]
    fn placeholder_is_rejected_by_its_name() {
        let draft = VesselDraft { imo_number: "0000000".into(), ..draft() };
        let rejection = draft.accept(&Rules::at(now())).unwrap_err();
        assert_eq!(codes(&rejection.findings), [(Severity::Error, "imo_number_placeholder", "/imoNumber")]);
        let message = "is a placeholder and no number that the IMO has assigned";
        assert_eq!(rejection.findings[0].message, message);
    }

    #[test]
    fn times_far_away_are_found_and_break_nothing() {
        let read = |updated_at: &str, withdrawn_at: &str| {
            let mut json = serde_json::to_value(draft()).unwrap();
            (json["updatedAt"], json["withdrawnAt"]) = (updated_at.into(), withdrawn_at.into());
            serde_json::from_value::<VesselDraft>(json).unwrap().accept(&Rules::at(now()))
        };
        let accepted = read("2026-05-01T00:00:00Z", "200000-01-01T00:00:00Z").unwrap();
        assert_eq!(accepted.record.withdrawal, Withdrawal::None);
        let first = |updated_at| read(updated_at, "").unwrap_err().findings[0].code;
        assert_eq!(first("200000-01-01T00:00:00Z"), "version_from_future");
        assert_eq!(first("999999999-01-01T00:00:00Z"), "version_from_future");
        assert_eq!(first("-20000-01-01T00:00:00Z"), "out_of_range");
        assert!(read("0001-01-01T00:00:00Z", "").is_ok());
    }

    #[test]
    fn a_companys_change_is_no_change_of_its_vessels() {
        let mut other = draft();
        other.company.name = "Nordic Bulk ASA".into();
        let hash = |draft: VesselDraft| draft.accept(&Rules::at(now())).unwrap().version.hash;
        assert_eq!(hash(other.clone()), hash(draft()));
        other.company.id = "c-2".into();
        assert_ne!(hash(other), hash(draft()));
    }
}
