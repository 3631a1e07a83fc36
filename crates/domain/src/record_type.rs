//! The kinds of record that are carried.

use crate::vocabulary::vocabulary;

vocabulary!(
    /// A kind of record that has an account of its own. Critical parts and maintenance schedules belong to their
    /// equipment: they are hashed, versioned and rejected with it.
    RecordType {
        /// A ship-managing or owning company. Arrives embedded in its vessels.
        Company = "company",
        /// A vessel.
        Vessel = "vessel",
        /// A piece of equipment with its critical parts and maintenance schedules.
        Equipment = "equipment",
        /// A person with an account in the maintenance portal.
        User = "user",
    }
);

impl RecordType {
    /// How people and paths name several of them.
    #[must_use]
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Company => "companies",
            Self::Vessel => "vessels",
            Self::Equipment => "equipment",
            Self::User => "users",
        }
    }
}
