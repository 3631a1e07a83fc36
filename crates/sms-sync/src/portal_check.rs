//! Checks an onboarding portal against the contract of the provider API, step by step: what an integrator runs first.
//!
//! The checks read, and change nothing. They ask for JSON as it comes and not through the client of the services, so that they
//! can say what is wrong with an answer that the services would refuse. `probe.rs` sends the requests, `lists.rs` checks a list.

mod lists;
mod probe;
mod report;

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use domain::clock::Clock;
use reqwest::{Method, header};
use serde_json::Value;

use self::{
    lists::{LISTS, List, Walked},
    probe::{Answer, Probe, UNKNOWN_ID, time_of},
};
pub(crate) use self::{
    probe::PortalAccess,
    report::{CheckLimits, Report, Verdict},
};

/// A larger difference between both clocks makes versions of records doubtful, as in the connection test.
const CLOCK_SKEW_LIMIT: TimeDelta = TimeDelta::minutes(2);
/// What the checks of no list are about.
const PORTAL: &str = "portal";
/// Most slices that are walked: enough to see whether they divide the list.
const SLICES_LIMIT: u64 = 4;
/// Runs all checks. Without an answer to the first request the others are not tried.
pub(crate) async fn check_portal(
    access: &PortalAccess,
    limits: CheckLimits,
    clock: &dyn Clock,
) -> anyhow::Result<Report> {
    let probe = Probe::new(access)?;
    let mut report = Report { url: access.url.clone(), checks: Vec::new() };
    if !check_connection(&probe, &mut report, clock).await {
        return Ok(report);
    }
    check_compression(&probe, &mut report).await;
    check_key(&probe, &mut report).await;
    check_errors(&probe, &mut report).await;
    let slices = check_capabilities(&probe, &mut report).await;
    let mut vessel = None;
    for list in LISTS {
        let walked = list.check(&probe, &mut report, limits, clock.now()).await;
        if list.name == "vessels" {
            vessel = walked.as_ref().and_then(Walked::any_id);
        }
        if let Some(walked) = walked {
            check_slices(&probe, &mut report, limits, list, &walked, slices).await;
        }
    }
    check_export(&probe, &mut report, vessel.as_deref()).await;
    Ok(report)
}

/// Whether the portal answers a list at all.
async fn check_connection(probe: &Probe, report: &mut Report, clock: &dyn Clock) -> bool {
    let answer = match probe.get("sync/vessels", &[("limit", "1")]).await {
        Ok(answer) => answer,
        Err(error) => {
            let hint =
                "Check host, port and certificate; the URL ends where /sync/vessels begins, often with /api.";
            report.add(PORTAL, "answer", Err(error), hint);
            return false;
        }
    };
    let result = match answer.status {
        200 => Ok(format!("GET sync/vessels answers in {} ms", answer.took.as_millis())),
        status => Err(format!("GET sync/vessels answers {status}{}", answer.problem_text())),
    };
    let hint = match answer.status {
        401 | 403 => {
            "Give the key that the portal has issued for SMS Sync (--api-key or ONBOARDING_API_KEY)."
        }
        404 => "The URL ends where /sync/vessels begins, often with /api.",
        300..=399 => {
            "Redirects are not followed, as they would send the key to another host: give the final URL."
        }
        _ => "The portal's own log says why.",
    };
    let is_ok = result.is_ok();
    report.add(PORTAL, "answer", result, hint);
    check_clock(report, &answer, clock.now());
    is_ok
}

fn check_clock(report: &mut Report, answer: &Answer, now: DateTime<Utc>) {
    let date = answer.header(&header::DATE).and_then(|date| DateTime::parse_from_rfc2822(date).ok());
    let Some(date) = date else {
        report.skip(PORTAL, "clock", "the answer has no Date header");
        return;
    };
    let skew = date.to_utc() - now;
    let result = if skew.abs() <= CLOCK_SKEW_LIMIT {
        Ok(format!("within {} s of this machine's", skew.num_seconds().abs() + 1))
    } else {
        Err(format!("{} s away from this machine's", skew.num_seconds()))
    };
    report.add(
        PORTAL,
        "clock",
        result,
        "Set both clocks by NTP: the newer version of a record wins by its time.",
    );
}

async fn check_compression(probe: &Probe, report: &mut Report) {
    const NAME: &str = "compression";
    let hint = "Compress JSON with gzip: a page of 1,000 records shrinks to about a tenth.";
    match probe.encoding("sync/equipment", &[("limit", "100")]).await {
        Ok(Some(encoding)) => report.add(PORTAL, NAME, Ok(encoding), ""),
        Ok(None) => report.warn(PORTAL, NAME, "answers are not compressed, though gzip is accepted", hint),
        Err(error) => report.warn(PORTAL, NAME, error, hint),
    }
}

/// Records must not be open to everybody.
async fn check_key(probe: &Probe, report: &mut Report) {
    for (name, key) in [("no key", None), ("wrong key", Some("sms-sync-check-wrong-key"))] {
        let result = match probe.get_with_key("sync/vessels", &[("limit", "1")], key).await {
            Ok(answer) if matches!(answer.status, 401 | 403) => Ok(format!("refused with {}", answer.status)),
            Ok(answer) => Err(format!("answered with {}", answer.status)),
            Err(error) => Err(error),
        };
        report.add(PORTAL, name, result, "Answer 401 where the key is missing or not known.");
    }
}

async fn check_errors(probe: &Probe, report: &mut Report) {
    let cases = [
        ("bad cursor", "sync/vessels", ("cursor", "sms-sync-check-no-cursor")),
        ("bad limit", "sync/vessels", ("limit", "none")),
        ("bad time", "sync/vessels", ("updatedSince", "yesterday")),
    ];
    for (name, path, parameter) in cases {
        let result = match probe.get(path, &[parameter]).await {
            Ok(answer) if (400..500).contains(&answer.status) => {
                Ok(format!("refused with {}", answer.status))
            }
            Ok(answer) => Err(format!("{}={} is answered with {}", parameter.0, parameter.1, answer.status)),
            Err(error) => Err(error),
        };
        let hint =
            "Answer 400: a parameter that is passed over makes a list that lies, and a 5xx is tried again.";
        report.add(PORTAL, name, result, hint);
    }
}

/// The number of slices that the portal announces; 1 without an answer.
async fn check_capabilities(probe: &Probe, report: &mut Report) -> u64 {
    const NAME: &str = "capabilities";
    let hint = "Optional. With slices, a full sync reads parts of a list side by side: see docs/scaling.md.";
    match probe.get("sync/capabilities", &[]).await {
        Ok(Answer { status: 200, json: Some(json), .. }) => {
            let absent = json.is_object() && json["slices"].is_null();
            let slices = json["slices"].as_u64().unwrap_or(if absent { 1 } else { 0 });
            let result = if slices.is_power_of_two() && slices <= 64 {
                Ok(format!("{slices} slices, {}", json_line(&json)))
            } else {
                Err(format!("cannot be used: {}", json_line(&json)))
            };
            let is_ok = result.is_ok();
            report.add(PORTAL, NAME, result, "slices is a power of two up to 64.");
            if is_ok { slices } else { 1 }
        }
        Ok(answer) if answer.status == 404 => {
            report.warn(PORTAL, NAME, "GET sync/capabilities is not served", hint);
            1
        }
        Ok(answer) => {
            report.warn(PORTAL, NAME, format!("GET sync/capabilities answers {}", answer.status), hint);
            1
        }
        Err(error) => {
            report.warn(PORTAL, NAME, error, hint);
            1
        }
    }
}

/// Whether the slices of a list are the list: each record in one of them.
async fn check_slices(
    probe: &Probe,
    report: &mut Report,
    limits: CheckLimits,
    list: &List,
    whole: &Walked,
    slices: u64,
) {
    const NAME: &str = "slices";
    const HINT: &str =
        "Each record belongs to exactly one slice, by a stable hash of its id; each page names its slice.";
    let count = slices.min(SLICES_LIMIT);
    if count < 2 {
        return;
    }
    if !whole.is_whole {
        report.skip(
            list.name,
            NAME,
            "the list is longer than what is read; raise --pages to check its slices",
        );
        return;
    }
    let mut seen = BTreeSet::new();
    for k in 0..count {
        let slice = format!("{k}/{count}");
        let walked = match list.walk(probe, limits, &[("slice", &slice)]).await {
            Ok(walked) => walked,
            Err(error) => return report.add(list.name, NAME, Err(format!("slice {slice}: {error}")), HINT),
        };
        if walked.slices.iter().any(|said| said.as_deref() != Some(slice.as_str())) {
            return report.add(
                list.name,
                NAME,
                Err(format!("a page of slice {slice} does not say so")),
                HINT,
            );
        }
        for id in walked.ids().collect::<BTreeSet<_>>() {
            if !seen.insert(id.clone()) {
                return report.add(list.name, NAME, Err(format!("{id} is in two slices of {count}")), HINT);
            }
        }
    }
    let all: BTreeSet<_> = whole.ids().cloned().collect();
    let result = match all.symmetric_difference(&seen).next() {
        None => Ok(format!("{count} slices have the {} records of the list", all.len())),
        Some(id) if seen.contains(id) => Err(format!("{id} is in a slice and not in the list")),
        Some(id) => Err(format!("{id} is in the list and in no slice")),
    };
    report.add(list.name, NAME, result, HINT);
}

async fn check_export(probe: &Probe, report: &mut Report, vessel: Option<&str>) {
    const NAME: &str = "export";
    const HINT: &str =
        "A vessel's approval fetches its export: vessel, equipment, users and asOf, read at one moment.";
    let unknown = probe.send(Method::POST, &format!("sync/export/{UNKNOWN_ID}"), &[]).await;
    let result = match unknown {
        Ok(answer) if answer.status == 404 => Ok("an unknown vessel is 404".to_owned()),
        Ok(answer) => Err(format!("an unknown vessel is answered with {}", answer.status)),
        Err(error) => Err(error),
    };
    report.add(
        PORTAL,
        "export of an unknown vessel",
        result,
        "Answer 404: any other status is tried again, or taken for an answer.",
    );
    let Some(vessel) = vessel else {
        return report.skip(PORTAL, NAME, "there is no vessel to export");
    };
    let path = format!("sync/export/{vessel}");
    let result = match probe.send(Method::POST, &path, &[]).await {
        Err(error) => Err(error),
        Ok(answer) => export_text(&answer, vessel),
    };
    report.add(PORTAL, NAME, result, HINT);
}

fn export_text(answer: &Answer, vessel: &str) -> Result<String, String> {
    if answer.status != 200 {
        return Err(format!("POST sync/export/{vessel} answers {}{}", answer.status, answer.problem_text()));
    }
    let json = answer.json.as_ref().ok_or("the answer is not JSON")?;
    if json["vessel"]["id"].as_str() != Some(vessel) {
        return Err(format!("vessel.id is {}, not {vessel}", json["vessel"]["id"]));
    }
    let count = |name: &str| {
        let list = json[name].as_array().ok_or(format!("{name} is no list"))?;
        let is_record = |it: &Value| it["id"].is_string() && time_of(&it["updatedAt"]).is_some();
        match list.iter().position(|it| !is_record(it)) {
            Some(at) => Err(format!("{name}/{at} has no id or no updatedAt")),
            None => Ok(list.len()),
        }
    };
    let (equipment, users) = (count("equipment")?, count("users")?);
    time_of(&json["asOf"]).ok_or("asOf is no time (RFC 3339)")?;
    Ok(format!(
        "{vessel} with {equipment} pieces of equipment and {users} users in {} ms",
        answer.took.as_millis()
    ))
}

fn json_line(value: &Value) -> String {
    value.to_string().chars().take(200).collect()
}
