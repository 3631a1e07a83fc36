//! Starting a sync.

use std::process::ExitCode;

use contracts::operator::{self, SyncAccepted, TriggerRequest};

use super::status::to_the_end;
use crate::{
    api::Api,
    arguments::{Mode, Output, RecordType, Trigger},
    output,
};

pub(crate) async fn run(api: &Api, output: Output, trigger: Trigger) -> anyhow::Result<ExitCode> {
    let watch = trigger.watch;
    let accepted: SyncAccepted = api.post("/api/sync/trigger", Some(&request(trigger))).await?;
    if watch {
        if output == Output::Table {
            output::line(format!("sync {}", accepted.sync_id));
        }
        return to_the_end(api, output, accepted.sync_id).await;
    }
    output::either(output, &accepted, |accepted| {
        output::line(format!("{} {}", accepted.sync_id, output::word(&accepted.state)));
        output::line(format!("follow it: sms-sync status {} --watch", accepted.sync_id));
    });
    Ok(ExitCode::SUCCESS)
}

fn request(it: Trigger) -> TriggerRequest {
    let mut request = TriggerRequest {
        mode: None,
        record_types: it.record_types.into_iter().map(record_type).collect(),
        vessel_imos: it.imos,
        company_id: it.company,
        equipment_ids: it.equipment,
        changed_since: it.since,
        changed_until: it.until,
        dry_run: it.dry_run,
        reason: it.reason,
    };
    let names_nothing = TriggerRequest {
        reason: request.reason.clone(),
        dry_run: request.dry_run,
        ..TriggerRequest::default()
    };
    let otherwise = if request == names_nothing { Mode::Full } else { Mode::Selective };
    request.mode = Some(mode(it.mode.unwrap_or(otherwise)));
    request
}

pub(super) const fn mode(mode: Mode) -> operator::Mode {
    match mode {
        Mode::Full => operator::Mode::Full,
        Mode::Incremental => operator::Mode::Incremental,
        Mode::Selective => operator::Mode::Selective,
    }
}

const fn record_type(it: RecordType) -> operator::RecordType {
    match it {
        RecordType::Company => operator::RecordType::Company,
        RecordType::Vessel => operator::RecordType::Vessel,
        RecordType::Equipment => operator::RecordType::Equipment,
        RecordType::User => operator::RecordType::User,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::arguments::{Arguments, Command};

    fn asked(arguments: &[&str]) -> TriggerRequest {
        let arguments = ["sms-sync", "trigger"].iter().chain(arguments);
        match Arguments::try_parse_from(arguments).unwrap().command {
            Command::Trigger(trigger) => request(trigger),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn who_names_nothing_asks_for_everything_and_who_names_something_for_that() {
        assert_eq!(asked(&["--reason", "drill"]).mode, Some(operator::Mode::Full));
        assert_eq!(asked(&["--imo", "9074729"]).mode, Some(operator::Mode::Selective));
        assert_eq!(asked(&["--since", "2026-11-24T08:00:00Z"]).mode, Some(operator::Mode::Selective));
        let asked = asked(&["--mode", "incremental", "--record-type", "equipment"]);
        assert_eq!(asked.mode, Some(operator::Mode::Incremental));
        assert_eq!(asked.record_types, [operator::RecordType::Equipment]);
    }
}
