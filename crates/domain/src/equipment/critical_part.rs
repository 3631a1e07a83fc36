//! Spare parts that must be on board.

use serde::{Deserialize, Serialize};

use crate::{
    Finding, SourceId,
    inspection::Inspection,
    lenient::{optional, required},
};

/// A critical part as it arrives, unparsed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CriticalPartDraft {
    /// Its id in the onboarding portal.
    pub id: String,
    /// The maker's number.
    pub part_number: String,
    /// Its name.
    pub name: String,
    /// Who makes it.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub maker: Option<String>,
    /// The drawing it is on.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub drawing_number: Option<String>,
    /// Its place in the drawing.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub position_number: Option<String>,
    /// What it is counted in: `pcs`, `set`.
    pub unit: String,
    /// Fewest that must be on board.
    #[serde(deserialize_with = "required")]
    pub minimum_stock: i32,
    /// How many are on board. The ship's own after the first sync.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub stock_on_board: Option<i32>,
    /// How many to order at once.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub reorder_quantity: Option<i32>,
    /// Where on board.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// From order to delivery, days.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub lead_time_days: Option<i32>,
    /// Whether safety depends on having one.
    pub is_critical: bool,
}

/// A critical part that passed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CriticalPart {
    /// Its id in the onboarding portal.
    pub source_id: SourceId,
    /// The maker's number.
    pub part_number: String,
    /// Its name.
    pub name: String,
    /// Who makes it.
    pub maker: Option<String>,
    /// The drawing it is on.
    pub drawing_number: Option<String>,
    /// Its place in the drawing.
    pub position_number: Option<String>,
    /// What it is counted in.
    pub unit: String,
    /// Fewest that must be on board.
    pub minimum_stock: i32,
    /// How many the ship starts with, never overwritten.
    pub stock_on_board: Option<i32>,
    /// How many to order at once.
    pub reorder_quantity: Option<i32>,
    /// Where on board.
    pub location: Option<String>,
    /// From order to delivery, days.
    pub lead_time_days: Option<i32>,
    /// Whether safety depends on having one.
    pub is_critical: bool,
}

impl CriticalPartDraft {
    pub(super) fn parse(self, inspection: &mut Inspection, at: &str) -> Option<CriticalPart> {
        let source_id = inspection.source_id(&format!("{at}/id"), &self.id);
        let part_number = inspection.text(&format!("{at}/partNumber"), &self.part_number, 100);
        let name = inspection.text(&format!("{at}/name"), &self.name, 200);
        let maker = inspection.optional_text(&format!("{at}/maker"), self.maker.as_deref(), 200);
        let drawing_number =
            inspection.optional_text(&format!("{at}/drawingNumber"), self.drawing_number.as_deref(), 100);
        let position_number =
            inspection.optional_text(&format!("{at}/positionNumber"), self.position_number.as_deref(), 100);
        let unit = inspection.text(&format!("{at}/unit"), &self.unit, 20);
        let minimum_stock = inspection
            .in_range(&format!("{at}/minimumStock"), Some(self.minimum_stock), 0..=1_000_000)
            .flatten();
        if self.is_critical && self.minimum_stock == 0 {
            let message = "of a critical part at least one should be on board";
            inspection.add(Finding::warning("minimum_stock_zero", format!("{at}/minimumStock"), message));
        }
        let stock_on_board =
            inspection.in_range(&format!("{at}/stockOnBoard"), self.stock_on_board, 0..=1_000_000);
        let reorder_quantity =
            inspection.in_range(&format!("{at}/reorderQuantity"), self.reorder_quantity, 0..=1_000_000);
        let location = inspection.optional_text(&format!("{at}/location"), self.location.as_deref(), 200);
        let lead_time_days =
            inspection.in_range(&format!("{at}/leadTimeDays"), self.lead_time_days, 0..=3650);
        Some(CriticalPart {
            source_id: source_id?,
            part_number: part_number?,
            name: name?,
            maker: maker?,
            drawing_number: drawing_number?,
            position_number: position_number?,
            unit: unit?,
            minimum_stock: minimum_stock?,
            stock_on_board: stock_on_board?,
            reorder_quantity: reorder_quantity?,
            location: location?,
            lead_time_days: lead_time_days?,
            is_critical: self.is_critical,
        })
    }
}
