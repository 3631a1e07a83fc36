//! A token in the wrong hands.

use e2e::{Setup, System};
use reqwest::Method;
use serde_json::json;

const OVERVIEW: &str = "/api/sync/status";

#[tokio::test(flavor = "multi_thread")]
async fn stolen_token_is_revoked_at_the_command_line_and_ends_everywhere() -> anyhow::Result<()> {
    let mut system = System::start(Setup::default()).await?;
    let (thief, token_id) = system.operator.other("anna").await?;
    let (anna, _) = system.operator.other("anna").await?;
    let mut stolen_stream = thief.updates().await?;
    assert_eq!(thief.ask(Method::GET, OVERVIEW, None).await?.0, 200);

    let revoke = ["revocations", "add", "--token-id", &token_id, "--reason", "left on a train"];
    system.operator.cli(&revoke).await?;

    assert_eq!(stolen_stream.wait_for("end").await?, json!({"code": "token_revoked"}));
    let (status, problem) = thief.ask(Method::POST, "/api/sync/trigger", None).await?;
    assert_eq!((status.as_u16(), problem["code"].as_str()), (401, Some("token_revoked")), "{problem}");
    assert_eq!(anna.ask(Method::GET, OVERVIEW, None).await?.0, 200, "her other token is as good as before");

    // Nothing of it is in memory alone.
    let status = system.front.last_mut().expect("status is in front");
    status.kill()?;
    status.restart()?;
    status.ready().await?;
    assert_eq!(thief.ask(Method::GET, OVERVIEW, None).await?.0, 401);
    assert_eq!(anna.ask(Method::GET, OVERVIEW, None).await?.0, 200);
    let audited = "audit WHERE actor = 'e2e' AND detail ->> 'reason' = 'left on a train'";
    assert_eq!(system.count(audited).await?, 1);
    Ok(())
}
