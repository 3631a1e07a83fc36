//! Validated records that wait to be written together.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use domain::{
    Accepted, RecordType, Rejection, SourceId, company::Company, equipment::Equipment, user::User,
    vessel::Vessel,
};
use store::records::EquipmentSnapshot;

/// Records of one kind, sorted out.
#[derive(Debug, PartialEq)]
pub(crate) struct Sorted<T> {
    /// To be written, each id once.
    pub(crate) accepted: Vec<Accepted<T>>,
    /// To be kept with their findings.
    pub(crate) rejected: Vec<Rejection>,
    /// Older states of records that came twice, and states newer than the sync is to look at: counted as skipped.
    pub(crate) superseded: u64,
    /// Ids of records that came once more, each time that they did.
    pub(crate) repeated: Vec<String>,
    /// What came exactly as before, and so was not read: ids, and when they changed last. Counted as unchanged.
    pub(crate) identical: Vec<(String, DateTime<Utc>)>,
}

impl<T> Default for Sorted<T> {
    fn default() -> Self {
        Self {
            accepted: Vec::new(),
            rejected: Vec::new(),
            superseded: 0,
            repeated: Vec::new(),
            identical: Vec::new(),
        }
    }
}

impl<T> Sorted<T> {
    /// Whether nothing came.
    pub(crate) fn is_empty(&self) -> bool {
        self.accepted.is_empty()
            && self.rejected.is_empty()
            && self.superseded == 0
            && self.identical.is_empty()
    }

    /// The ids of all that came, sound or not, as often as they did; empty where no id could be read.
    pub(crate) fn ids(&self, id: fn(&T) -> &SourceId) -> Vec<String> {
        let accepted = self.accepted.iter().map(|it| id(&it.record).to_string());
        // An id of another type, a number, is shown as it was sent, and is nobody's.
        let is_readable = |it: &Rejection| {
            it.source_id.as_str().parse::<SourceId>().is_ok()
                && it.findings.iter().all(|found| found.pointer != "/id")
        };
        let rejected = self.rejected.iter();
        let rejected =
            rejected.map(|it| if is_readable(it) { it.source_id.to_string() } else { String::new() });
        let identical = self.identical.iter().map(|(id, _)| id.clone());
        accepted.chain(rejected).chain(identical).chain(self.repeated.iter().cloned()).collect()
    }

    /// The ids of sound records that have changed since.
    pub(crate) fn newer_than(&self, time: DateTime<Utc>, id: fn(&T) -> &SourceId) -> BTreeSet<String> {
        let newer = self.accepted.iter().filter(|it| it.version.updated_at > time);
        let identical = self.identical.iter().filter(|(_, updated_at)| *updated_at > time);
        newer.map(|it| id(&it.record).to_string()).chain(identical.map(|(id, _)| id.clone())).collect()
    }

    /// When each record changed, in its newest state; none where that cannot be read.
    fn times(&self, id: fn(&T) -> &SourceId) -> HashMap<&str, Option<DateTime<Utc>>> {
        let accepted = self.accepted.iter().map(|it| (id(&it.record).as_str(), Some(it.version.updated_at)));
        let rejected = self.rejected.iter().map(|it| (it.source_id.as_str(), it.updated_at));
        let mut times = HashMap::new();
        for (id, time) in accepted.chain(rejected) {
            let newer = |kept: &mut Option<DateTime<Utc>>| *kept = kept.zip(time).map(|(a, b)| a.max(b));
            times.entry(id).and_modify(newer).or_insert(time);
        }
        times
    }

    fn keep_only(&mut self, ids: &[String], id: fn(&T) -> &SourceId) {
        let is_asked_for = |id: &str| ids.iter().any(|asked| asked == id);
        self.accepted.retain(|it| is_asked_for(id(&it.record).as_str()));
        self.rejected.retain(|it| is_asked_for(it.source_id.as_str()));
        self.repeated.retain(|it| is_asked_for(it));
    }

    fn leave_out_after(&mut self, until: DateTime<Utc>) {
        let all = self.accepted.len() + self.identical.len();
        self.accepted.retain(|it| it.version.updated_at <= until);
        self.identical.retain(|(_, updated_at)| *updated_at <= until);
        self.superseded += (all - self.accepted.len() - self.identical.len()) as u64;
    }

    /// Sorts records by what validation says of them; of records that come twice, the newer state counts.
    pub(crate) fn of(
        verdicts: impl Iterator<Item = Result<Accepted<T>, Rejection>>,
        id: fn(&T) -> &str,
    ) -> Self {
        let mut sorted = Self::default();
        let mut newest: HashMap<String, usize> = HashMap::new();
        for verdict in verdicts {
            match verdict {
                Err(rejection) => sorted.rejected.push(rejection),
                // A batch must not hold one key twice, and a provider that repeats itself is no reason to fail.
                Ok(record) => match newest.get(id(&record.record)) {
                    None => {
                        newest.insert(id(&record.record).to_owned(), sorted.accepted.len());
                        sorted.accepted.push(record);
                    }
                    Some(at) => {
                        sorted.superseded += 1;
                        sorted.repeated.push(id(&record.record).to_owned());
                        // At the same time the state that is listed last counts.
                        if record.version.updated_at >= sorted.accepted[*at].version.updated_at {
                            sorted.accepted[*at] = record;
                        }
                    }
                },
            }
        }
        sorted
    }
}

/// Records of all kinds; a page holds one kind, or two.
#[derive(Debug, Default)]
pub(crate) struct ValidatedBatch {
    pub(crate) companies: Sorted<Company>,
    pub(crate) vessels: Sorted<Vessel>,
    pub(crate) equipment: Sorted<Equipment>,
    pub(crate) users: Sorted<User>,
    /// What stood in the table of equipment when this was read, if that was asked.
    pub(crate) snapshot: Option<EquipmentSnapshot>,
}

impl ValidatedBatch {
    /// The ids of its records of a type, sound or not.
    pub(crate) fn ids_of(&self, record_type: RecordType) -> Vec<String> {
        match record_type {
            RecordType::Company => self.companies.ids(|it| &it.source_id),
            RecordType::Vessel => self.vessels.ids(|it| &it.source_id),
            RecordType::Equipment => self.equipment.ids(|it| &it.source_id),
            RecordType::User => self.users.ids(|it| &it.source_id),
        }
    }

    /// When its records of a type changed, each in its newest state; none where that cannot be read.
    pub(crate) fn times_of(&self, record_type: RecordType) -> HashMap<&str, Option<DateTime<Utc>>> {
        match record_type {
            RecordType::Company => self.companies.times(|it| &it.source_id),
            RecordType::Vessel => self.vessels.times(|it| &it.source_id),
            RecordType::Equipment => self.equipment.times(|it| &it.source_id),
            RecordType::User => self.users.times(|it| &it.source_id),
        }
    }

    /// The ids of its sound records that have changed since `first_look`, when the provider said how many there are. A
    /// company that comes with nothing but such vessels may not have been counted then.
    pub(crate) fn newer_than(&self, first_look: DateTime<Utc>) -> BTreeMap<RecordType, BTreeSet<String>> {
        let earlier: BTreeSet<&SourceId> = self
            .vessels
            .accepted
            .iter()
            .filter(|it| it.version.updated_at <= first_look)
            .map(|it| &it.record.company_source_id)
            .collect();
        let is_late = |it: &Accepted<Company>| {
            it.version.updated_at > first_look || !earlier.contains(&it.record.source_id)
        };
        let companies = self.companies.accepted.iter().filter(|it| is_late(it));
        let mut late: BTreeMap<_, _> = [
            (RecordType::Company, companies.map(|it| it.record.source_id.to_string()).collect()),
            (RecordType::Vessel, self.vessels.newer_than(first_look, |it| &it.source_id)),
            (RecordType::Equipment, self.equipment.newer_than(first_look, |it| &it.source_id)),
            (RecordType::User, self.users.newer_than(first_look, |it| &it.source_id)),
        ]
        .into();
        late.retain(|_, ids: &mut BTreeSet<String>| !ids.is_empty());
        late
    }

    /// Leaves out records of a type that were not asked for.
    pub(crate) fn keep_only(&mut self, record_type: RecordType, ids: &[String]) {
        match record_type {
            RecordType::Company => self.companies.keep_only(ids, |it| &it.source_id),
            RecordType::Vessel => self.vessels.keep_only(ids, |it| &it.source_id),
            RecordType::Equipment => self.equipment.keep_only(ids, |it| &it.source_id),
            RecordType::User => self.users.keep_only(ids, |it| &it.source_id),
        }
    }

    /// Leaves out records that changed after `until`, which the provider cannot be asked for, and counts them as skipped.
    /// Records that cannot be read stay: they may be of any time. A company that comes with none of the remaining vessels
    /// does not count.
    pub(crate) fn leave_out_after(&mut self, until: DateTime<Utc>) {
        self.vessels.leave_out_after(until);
        let of_vessels: BTreeSet<&str> =
            self.vessels.accepted.iter().map(|it| it.record.company_source_id.as_str()).collect();
        let is_asked_for = |it: &Accepted<Company>| {
            it.version.updated_at <= until || of_vessels.contains(it.record.source_id.as_str())
        };
        self.companies.accepted.retain(is_asked_for);
        self.equipment.leave_out_after(until);
        self.users.leave_out_after(until);
    }
}
