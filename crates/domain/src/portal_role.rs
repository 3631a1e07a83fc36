//! Roles of users in the maintenance portal, and what each permits.

use crate::vocabulary::vocabulary;

vocabulary!(
    /// What an account may do in the maintenance portal, from the least.
    PortalRole {
        /// Sees the jobs of the own vessel.
        CrewReadonly = "crew_readonly",
        /// Reports work on the own vessel.
        Crew = "crew",
        /// Reports and signs work of the own department.
        Officer = "officer",
        /// Runs the maintenance programme on board (IACS UR Z20).
        ChiefEngineer = "chief_engineer",
        /// Sees and signs everything on board.
        Master = "master",
        /// Sees everything in the fleet, changes nothing.
        Auditor = "auditor",
        /// Orders parts.
        Purchasing = "purchasing",
        /// Sees everything in the fleet, runs safety work.
        Hsqe = "hsqe",
        /// Runs the maintenance programme of several vessels.
        Superintendent = "superintendent",
        /// Runs the fleet.
        FleetManager = "fleet_manager",
    }
);

vocabulary!(
    /// What a role lets an account do.
    Permission {
        /// Sees the jobs of the own vessels.
        ViewVessel = "view_vessel",
        /// Sees everything in the fleet.
        ViewFleet = "view_fleet",
        /// Reports work.
        ReportWork = "report_work",
        /// Signs work of the own department.
        SignDepartment = "sign_department",
        /// Signs everything on board.
        SignVessel = "sign_vessel",
        /// Changes the maintenance programme.
        RunProgramme = "run_programme",
        /// Orders parts.
        OrderParts = "order_parts",
        /// Runs safety work.
        RunSafety = "run_safety",
        /// Runs the fleet.
        RunFleet = "run_fleet",
    }
);

impl PortalRole {
    /// What it lets an account do.
    #[must_use]
    pub const fn permissions(self) -> &'static [Permission] {
        use Permission::{
            OrderParts, ReportWork, RunFleet, RunProgramme, RunSafety, SignDepartment, SignVessel, ViewFleet,
            ViewVessel,
        };
        match self {
            Self::CrewReadonly => &[ViewVessel],
            Self::Crew => &[ViewVessel, ReportWork],
            Self::Officer => &[ViewVessel, ReportWork, SignDepartment],
            Self::ChiefEngineer | Self::Superintendent => {
                &[ViewVessel, ReportWork, SignDepartment, RunProgramme]
            }
            Self::Master => &[ViewVessel, ReportWork, SignDepartment, SignVessel],
            Self::Auditor => &[ViewVessel, ViewFleet],
            Self::Purchasing => &[ViewVessel, OrderParts],
            Self::Hsqe => &[ViewVessel, ViewFleet, RunSafety],
            Self::FleetManager => &[
                ViewVessel,
                ViewFleet,
                ReportWork,
                SignDepartment,
                SignVessel,
                RunProgramme,
                OrderParts,
                RunFleet,
            ],
        }
    }

    /// What an account may do with this role that it may not with the other.
    #[must_use]
    pub fn permissions_beyond(self, other: Self) -> Vec<Permission> {
        self.permissions().iter().copied().filter(|it| !other.permissions().contains(it)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_differ_by_what_they_let_one_do() {
        let (officer, chief) = (PortalRole::Officer, PortalRole::ChiefEngineer);
        assert_eq!(chief.permissions_beyond(officer), [Permission::RunProgramme]);
        assert_eq!(officer.permissions_beyond(chief), []);
    }
}
