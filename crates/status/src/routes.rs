//! Routes of the operator API. A file per subject; the arguments of a handler say which role it needs. A handler has the
//! name of its `operation_id`.

mod acknowledgements;
mod analytics;
mod api_keys;
mod audit;
mod changes;
mod configuration;
mod conflict_policies;
mod conflict_resolution;
mod conflicts;
mod connection;
mod dead_letters;
mod doctor;
mod etag;
mod identity;
mod labels;
mod older_records;
mod overview;
mod paging;
mod parts;
mod reason;
mod records;
mod refused_webhooks;
mod replays;
mod reprocessing;
mod role_mapping;
mod schedules;
mod search;
mod settings;
mod settings_change;
mod sync_control;
mod syncs;
mod ticks;
mod timelines;
mod token_revocations;
mod trigger;
mod trigger_request;
mod undo;
pub(crate) mod updates;
mod users;
mod validation;
mod vessels;
mod webhooks;

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers all handlers, with their descriptions for the OpenAPI document.
pub(crate) fn configure(app: &mut ServiceConfig<'_>) {
    app.service(trigger::trigger_sync)
        .service(overview::get_overview)
        .service(syncs::get_sync)
        .service(syncs::list_syncs)
        .service(syncs::cancel_sync)
        .service(syncs::list_findings)
        .service(syncs::list_tasks)
        .service(syncs::list_attempts)
        .service(changes::list_changes)
        .service(sync_control::resume_sync)
        .service(sync_control::retry_sync)
        .service(sync_control::confirm_sync)
        .service(older_records::get_older_records)
        .service(older_records::accept_older_records)
        .service(settings::get_settings)
        .service(settings::change_settings)
        .service(configuration::list_configuration_changes)
        .service(settings::preview_schedule)
        .service(doctor::diagnose)
        .service(analytics::get_analytics)
        .service(schedules::list_schedules)
        .service(schedules::get_schedule)
        .service(schedules::put_schedule)
        .service(schedules::delete_schedule)
        .service(schedules::pause_schedule)
        .service(schedules::resume_schedule)
        .service(ticks::list_ticks)
        .service(connection::test_connection)
        .service(dead_letters::list_dead_letters)
        .service(dead_letters::list_dead_letter_groups)
        .service(dead_letters::get_dead_letter)
        .service(replays::replay_dead_letter)
        .service(replays::plan_replay)
        .service(replays::replay_dead_letters)
        .service(replays::list_replay_jobs)
        .service(replays::get_replay_job)
        .service(replays::list_replay_items)
        .service(replays::cancel_replay_job)
        .service(webhooks::list_webhooks)
        // Before `/webhooks/{id}`, which would match the path, too.
        .service(refused_webhooks::list_refused_webhooks)
        .service(webhooks::get_webhook)
        .service(webhooks::get_webhook_raw_body)
        .service(reprocessing::reprocess_webhook)
        .service(reprocessing::plan_reprocess)
        .service(reprocessing::reprocess_webhooks)
        .service(audit::list_audit)
        .service(audit::export_audit)
        .service(audit::verify_audit)
        .service(identity::get_identity)
        .service(identity::get_session)
        .service(identity::begin_session)
        .service(identity::end_session)
        .service(api_keys::list_api_keys)
        .service(api_keys::create_api_key)
        .service(api_keys::rotate_api_key)
        .service(api_keys::revoke_api_key)
        .service(token_revocations::list_token_revocations)
        .service(token_revocations::revoke_tokens)
        .service(conflicts::list_conflicts)
        // Before `/conflicts/{id}`, which would match the paths, too.
        .service(conflict_policies::get_conflict_policies)
        .service(conflict_policies::change_conflict_policies)
        .service(conflict_resolution::resolve_conflicts)
        .service(conflicts::get_conflict)
        .service(conflict_resolution::resolve_conflict)
        .service(undo::undo_sync)
        .service(undo::plan_undo)
        .service(undo::get_undo)
        .service(labels::get_label_svg)
        .service(labels::get_label_png)
        .service(labels::get_label_sheets)
        .service(users::list_users)
        .service(users::claim_temporary_password)
        .service(users::reissue_temporary_password)
        .service(role_mapping::get_role_mapping)
        .service(role_mapping::change_role_mapping)
        .service(role_mapping::preview_role_mapping)
        .service(validation::get_validation_report)
        .service(records::list_records)
        .service(records::get_record)
        .service(acknowledgements::acknowledge_rejection)
        .service(acknowledgements::withdraw_acknowledgement)
        .service(vessels::list_vessels)
        .service(parts::list_parts)
        .service(timelines::get_timeline)
        .service(search::search_all)
        .service(updates::stream_updates);
}
