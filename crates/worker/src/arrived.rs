//! A page as it arrived, and reading it. Equipment is most of a fleet, and most of it comes as it came before: that is not
//! read again.

use std::borrow::Cow;

use contracts::provider::{EquipmentDraft, PageInfo, UserDraft, VesselDraft};
use domain::Rules;
use portal_client::UnreadPage;
use store::records::equipment_snapshot_read;

use crate::{context::Context, failure::WorkError, transform, write::Batch};

/// A page of one list as it arrived.
pub(crate) enum Arrived {
    Vessels(UnreadPage<VesselDraft>),
    Equipment(UnreadPage<EquipmentDraft>),
    Users(UnreadPage<UserDraft>),
}

impl Arrived {
    pub(crate) const fn info(&self) -> &PageInfo {
        match self {
            Self::Vessels(page) => &page.info,
            Self::Equipment(page) => &page.info,
            Self::Users(page) => &page.info,
        }
    }

    /// Reads and sorts out the records, on threads where that keeps nobody waiting.
    pub(crate) async fn read(self, context: &Context, rules: Rules) -> Result<Batch, WorkError> {
        let Self::Equipment(page) = self else {
            return on_a_thread_apart(move || self.read_all(&rules)).await;
        };
        let (page, ids) = on_a_thread_apart(move || {
            let ids: Vec<_> = page.records().map(|record| record.id().map(Cow::into_owned)).collect();
            (page, ids)
        })
        .await?;
        let asked: Vec<&str> = ids.iter().flatten().map(String::as_str).collect();
        let look = equipment_snapshot_read(&mut *context.store.db().await?, &asked).await?;
        on_a_thread_apart(move || {
            let equipment = transform::equipment_page(&page, &ids, &look, &rules);
            Batch { equipment, look: Some(look), ..Batch::default() }
        })
        .await
    }

    /// Reads and sorts out the records, whether they stand here or not.
    pub(crate) async fn read_anew(self, rules: Rules) -> Result<Batch, WorkError> {
        on_a_thread_apart(move || self.read_all(&rules)).await
    }

    fn read_all(&self, rules: &Rules) -> Batch {
        match self {
            Self::Vessels(page) => {
                let (companies, vessels) = transform::vessels(page.read(), rules);
                Batch { companies, vessels, ..Batch::default() }
            }
            Self::Equipment(page) => {
                Batch { equipment: transform::equipment(page.read(), rules), ..Batch::default() }
            }
            Self::Users(page) => Batch { users: transform::users(page.read(), rules), ..Batch::default() },
        }
    }
}

async fn on_a_thread_apart<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, WorkError> {
    tokio::task::spawn_blocking(work).await.map_err(|broken| WorkError::Broken(broken.to_string()))
}
