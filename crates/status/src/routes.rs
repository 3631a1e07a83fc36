//! What operators may ask and order. A file per subject; what a handler takes as argument says which role it needs.

pub(crate) mod body;
pub(crate) mod changes;
pub(crate) mod conflicts;
pub(crate) mod connection;
pub(crate) mod dead_letters;
pub(crate) mod etag;
pub(crate) mod identity;
pub(crate) mod labels;
pub(crate) mod paging;
pub(crate) mod replay;
pub(crate) mod role_mapping;
pub(crate) mod settings;
pub(crate) mod sync_control;
pub(crate) mod syncs;
pub(crate) mod trigger;
pub(crate) mod undo;
pub(crate) mod updates;
pub(crate) mod users;
pub(crate) mod validation;
pub(crate) mod webhooks;

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers every handler, and so describes it.
pub(crate) fn configure(app: &mut ServiceConfig<'_>) {
    app.service(trigger::trigger)
        .service(syncs::get_overview)
        .service(syncs::find)
        .service(syncs::list)
        .service(syncs::cancel)
        .service(syncs::list_findings)
        .service(changes::list)
        .service(sync_control::resume)
        .service(sync_control::retry)
        .service(sync_control::confirm)
        .service(settings::get)
        .service(settings::change_settings)
        .service(settings::preview_schedule)
        .service(connection::test)
        .service(dead_letters::list)
        .service(dead_letters::groups)
        .service(dead_letters::find)
        .service(replay::replay_one)
        .service(replay::plan)
        .service(replay::replay_many)
        .service(replay::list_jobs)
        .service(replay::find_job)
        .service(replay::list_items)
        .service(replay::cancel_job)
        .service(webhooks::list)
        // Before the one that takes whatever stands there for an id.
        .service(webhooks::list_refused)
        .service(webhooks::find)
        .service(webhooks::raw_body)
        .service(webhooks::reprocess_one)
        .service(webhooks::plan_reprocess)
        .service(webhooks::reprocess_many)
        .service(identity::me)
        .service(conflicts::list)
        // Before the one that takes whatever stands there for an id.
        .service(conflicts::get_policies)
        .service(conflicts::change_policies)
        .service(conflicts::find)
        .service(conflicts::resolve)
        .service(conflicts::resolve_many)
        .service(undo::undo_sync)
        .service(undo::find)
        .service(labels::label_svg)
        .service(labels::label_png)
        .service(labels::label_sheets)
        .service(users::list)
        .service(users::claim_temporary_password)
        .service(role_mapping::get_mapping)
        .service(role_mapping::change_mapping)
        .service(role_mapping::preview)
        .service(validation::report)
        .service(updates::stream_updates);
}
