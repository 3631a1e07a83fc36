//! Changes of the configuration, as the audit log has them: for each action the values before and after.

use std::collections::BTreeSet;

use contracts::operator::{ConfigurationChange, ConfigurationPart, ValueChange};
use serde_json::{Map, Value, json};
use store::{ledger::audit::AuditEntry, settings::schedules};

/// None: the entry is of no change of the configuration.
pub(crate) fn configuration_change(entry: AuditEntry) -> Option<ConfigurationChange> {
    let action = entry.action.into();
    let part = ConfigurationPart::ALL.iter().copied().find(|part| part.actions().contains(&action))?;
    let detail = &entry.detail;
    let changes = match part {
        // Beside the values stand the version and what they replace.
        ConfigurationPart::Settings => {
            let before = object(&detail["before"]);
            let after = before.keys().map(|name| (name.clone(), detail[name].clone())).collect();
            differences(&before, &after)
        }
        ConfigurationPart::ConflictPolicies => {
            differences(&object(&detail["before"]), &object(&detail["policies"]))
        }
        ConfigurationPart::RoleMapping => {
            let of = |rules: &Value| Map::from_iter([("rules".to_owned(), rules.clone())]);
            differences(&of(&detail["before"]["rules"]), &of(&detail["rules"]))
        }
        ConfigurationPart::Schedules => match entry.action {
            domain::audit::AuditAction::SchedulePause => {
                vec![pause_change(Value::Null, json!({ "until": detail["until"] }))]
            }
            domain::audit::AuditAction::ScheduleResume => {
                vec![pause_change(json!({ "reason": detail["reason"] }), Value::Null)]
            }
            _ => differences(&object(&detail["before"]), &object(&detail["after"])),
        },
    };
    let reason = match entry.action {
        // That of the pause, which has ended.
        domain::audit::AuditAction::ScheduleResume => None,
        _ => detail["reason"].as_str().map(str::to_owned),
    };
    Some(ConfigurationChange {
        id: entry.id,
        at: entry.at,
        actor: entry.actor,
        part,
        action,
        schedule: schedules::name_of_subject(&entry.subject).map(str::to_owned),
        version: detail["version"].as_u64(),
        reason,
        changes,
    })
}

fn pause_change(before: Value, after: Value) -> ValueChange {
    ValueChange { name: "pause".to_owned(), before, after }
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn differences(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<ValueChange> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let of = |values: &Map<String, Value>, name: &String| values.get(name).cloned().unwrap_or_default();
    let changes = names.into_iter().map(|name| ValueChange {
        name: name.clone(),
        before: of(before, name),
        after: of(after, name),
    });
    changes.filter(|change| change.before != change.after).collect()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use domain::audit::AuditAction;

    use super::*;

    fn change(action: AuditAction, subject: &str, detail: Value) -> ConfigurationChange {
        let entry = AuditEntry {
            id: 7,
            at: DateTime::UNIX_EPOCH,
            actor: "anna".to_owned(),
            action,
            subject: subject.to_owned(),
            detail,
            trace_id: None,
            request_id: None,
            position: None,
        };
        configuration_change(entry).expect("a change of the configuration")
    }

    fn pairs(change: &ConfigurationChange) -> Vec<(&str, &Value, &Value)> {
        change.changes.iter().map(|it| (it.name.as_str(), &it.before, &it.after)).collect()
    }

    #[test]
    fn settings_show_the_values_that_were_replaced() {
        let detail =
            json!({ "pageSize": 200, "scheduleCron": null, "version": 3, "before": { "pageSize": 500 } });
        let change = change(AuditAction::SettingsUpdate, "settings", detail);
        assert_eq!(pairs(&change), [("pageSize", &json!(500), &json!(200))]);
        assert_eq!((change.version, change.schedule), (Some(3), None));
    }

    #[test]
    fn a_schedule_shows_only_what_differs_and_its_name() {
        let detail = json!({ "version": 2, "before": { "cron": "0 2 * * *", "enabled": true },
            "after": { "cron": "0 3 * * *", "enabled": true } });
        let change = change(AuditAction::ScheduleUpdate, "schedule full-sync", detail);
        assert_eq!(pairs(&change), [("cron", &json!("0 2 * * *"), &json!("0 3 * * *"))]);
        assert_eq!(change.schedule.as_deref(), Some("full-sync"));
    }

    #[test]
    fn a_schedule_that_is_made_or_deleted_shows_all_of_it() {
        let made =
            change(AuditAction::ScheduleCreate, "schedule x", json!({ "after": { "cron": "1 * * * *" } }));
        assert_eq!(pairs(&made), [("cron", &Value::Null, &json!("1 * * * *"))]);
        let gone =
            change(AuditAction::ScheduleDelete, "schedule x", json!({ "before": { "cron": "1 * * * *" } }));
        assert_eq!(pairs(&gone), [("cron", &json!("1 * * * *"), &Value::Null)]);
    }

    #[test]
    fn a_pause_has_its_reason() {
        let detail = json!({ "version": 4, "reason": "dry dock", "until": null });
        let paused = change(AuditAction::SchedulePause, "schedule x", detail);
        assert_eq!((paused.reason.as_deref(), paused.changes.len()), (Some("dry dock"), 1));
        let resumed = change(AuditAction::ScheduleResume, "schedule x", json!({ "reason": "dry dock" }));
        assert_eq!(resumed.reason, None);
        assert_eq!(pairs(&resumed), [("pause", &json!({ "reason": "dry dock" }), &Value::Null)]);
    }

    #[test]
    fn other_actions_are_no_changes_of_the_configuration() {
        let entry = AuditEntry {
            id: 1,
            at: DateTime::UNIX_EPOCH,
            actor: "anna".to_owned(),
            action: AuditAction::SyncTrigger,
            subject: "x".to_owned(),
            detail: json!({}),
            trace_id: None,
            request_id: None,
            position: None,
        };
        assert_eq!(configuration_change(entry), None);
    }
}
