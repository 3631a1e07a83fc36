//! Labels for equipment: a QR symbol with texts beside it, as SVG, as PNG and as sheets to print. Start with `layout.rs`.
//!
//! All three share one layout: 70 by 37 mm at 8 dots per millimetre (203 dpi, what label printers have), so that a text
//! has the same place in each.

mod layout;
mod png;
mod sheet;
mod svg;

pub(crate) use layout::{Label, Layout};
pub(crate) use png::render_png;
pub(crate) use sheet::{PER_SHEET, render_sheets};
pub(crate) use svg::render_svg;

#[cfg(test)]
pub(crate) fn main_engine() -> Label {
    Label {
        qr_code: "SMS-S12Q-3W4Q-XHEY-F66E-V".into(),
        vessel: "Nordic Star".into(),
        imo_number: "9074729".into(),
        tag: "601.001 / 1".into(),
        name: "Main engine <port> & gear".into(),
    }
}
