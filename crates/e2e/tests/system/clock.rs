//! The schedule.

use e2e::{Fleet, PATIENCE, Setup, System};
use serde_json::json;
use testbed::wait_until;

/// Sets the schedule so that its last tick was so many minutes ago, as if it had stood so since yesterday.
async fn due(system: &System, minutes: u32) -> anyhow::Result<()> {
    system
        .world
        .execute(&format!(
            "UPDATE schedules SET enabled = true, updated_at = now() - interval '1 day',
             cron = to_char((now() AT TIME ZONE 'UTC') - interval '{minutes} minutes', 'FMMI FMHH24 * * *')"
        ))
        .await
}

async fn leader(system: &System) -> anyhow::Result<usize> {
    wait_until("a scheduler leads", PATIENCE, async || {
        let leads = |it: &e2e::Daemon| it.output().contains("this scheduler leads");
        system.schedulers.iter().position(leads).ok_or("nobody")
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_schedulers_fire_a_tick_once_and_the_second_takes_over_when_the_first_is_killed()
-> anyhow::Result<()> {
    let setup = Setup { fleet: Fleet::Of(1, 2, 1), schedulers: 2, ..Setup::default() };
    let mut system = System::start(setup).await?;
    let leader = leader(&system).await?;
    due(&system, 5).await?;
    let completed = "sync_logs WHERE cause = 'scheduled' AND state = 'completed'";
    system.wait_for_rows("the tick's sync is complete", completed, 1).await?;

    system.schedulers[leader].kill()?;
    due(&system, 3).await?;
    system.wait_for_rows("the next tick's sync is complete", completed, 2).await?;
    let ticks = system.rows("SELECT outcome FROM schedule_ticks ORDER BY due_at").await?;
    assert_eq!(ticks, [json!({"outcome": "started"}), json!({"outcome": "started"})]);
    assert_eq!(system.count("sync_logs").await?, 2);
    Ok(())
}
