//! What an operator for a part of the fleet may see. Everything else is answered as if it were not there.

use chassis::{auth::Operator, problem::Problem};
use store::{Db, views::scope::FleetPart};

use crate::problems::{OrProblem, vessel_not_found};

/// The part of the fleet that the token is limited to; none: the whole fleet.
pub(crate) async fn load_fleet_part(db: &mut Db, operator: &Operator) -> Result<Option<FleetPart>, Problem> {
    match operator.scope() {
        None => Ok(None),
        Some(scope) => Ok(Some(FleetPart::load(db, &scope.vessels, &scope.companies).await.or_problem()?)),
    }
}

/// 404 for a vessel outside, by its id in the onboarding portal; `asked` is what the caller called it.
pub(crate) fn check_vessel(part: Option<&FleetPart>, source_id: &str, asked: &str) -> Result<(), Problem> {
    match part {
        Some(part) if !part.has_vessel(source_id) => Err(vessel_not_found(asked)),
        _ => Ok(()),
    }
}

/// 403 for a question about more than a part of the fleet.
pub(crate) fn check_whole_fleet(part: Option<&FleetPart>, what_to_name: &str) -> Result<(), Problem> {
    match part {
        None => Ok(()),
        Some(_) => {
            let detail = format!("Your token is for a part of the fleet: name {what_to_name}.");
            Err(Problem::forbidden("outside_scope", detail))
        }
    }
}
