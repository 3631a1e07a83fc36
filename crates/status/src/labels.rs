//! Labels for equipment: a QR symbol with what people read beside it, as SVG, as PNG and as sheets to print.
//!
//! One layout serves them all: 70 by 37 mm at 8 dots per millimetre (203 dpi, what label printers have), so that text
//! stands at the same place however it is drawn.

mod layout;
mod png;
mod sheet;
mod svg;

pub(crate) use layout::{Label, Layout};
pub(crate) use png::png;
pub(crate) use sheet::{PER_SHEET, sheets};
pub(crate) use svg::svg;

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
