//! Positions of the symbol and the texts on a label.

use domain::text::printable;
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster_width};
use qrcode::{Color, EcLevel, QrCode, types::QrError};

/// Width of a label: 70 mm.
pub(crate) const WIDTH: usize = 70 * DOTS_PER_MM;
/// Height of a label: 37 mm.
pub(crate) const HEIGHT: usize = 37 * DOTS_PER_MM;
/// 203 dpi.
pub(crate) const DOTS_PER_MM: usize = 8;
/// Modules around the symbol that stay white.
pub(crate) const QUIET_ZONE: usize = 4;

/// Side of the square for the symbol with its quiet zone.
const SYMBOL: usize = 33 * DOTS_PER_MM;
const MARGIN: usize = 2 * DOTS_PER_MM;
const TEXT_LEFT: usize = MARGIN + SYMBOL;
const TEXT_TOP: usize = 5 * DOTS_PER_MM;
const TEXT_BOTTOM: usize = HEIGHT - TEXT_TOP;
const GAP: usize = 6;
const TEXT_WIDTH: usize = WIDTH - TEXT_LEFT - MARGIN;

/// Texts of a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Label {
    pub(crate) qr_code: String,
    pub(crate) vessel: String,
    pub(crate) imo_number: String,
    /// SFI code and unit number: `601.001 / 1`.
    pub(crate) tag: String,
    pub(crate) name: String,
}

/// A line of text; its place in dots is the upper left corner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) left: usize,
    pub(crate) top: usize,
    pub(crate) size: RasterHeight,
    pub(crate) weight: FontWeight,
}

/// Positions of symbol and texts, in dots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Dark modules of the symbol, row by row, without the quiet zone.
    pub(crate) modules: Vec<bool>,
    /// Modules of a side, without the quiet zone.
    pub(crate) side: usize,
    /// Dots of a module.
    pub(crate) module: usize,
    /// Upper left corner of the symbol, quiet zone left out.
    pub(crate) origin: (usize, usize),
    pub(crate) lines: Vec<Line>,
}

impl Layout {
    /// Lays a label out. Error correction Q: a quarter of the symbol may be lost to oil and paint.
    pub(crate) fn of(label: &Label) -> Result<Self, QrError> {
        let symbol = QrCode::with_error_correction_level(&label.qr_code, EcLevel::Q)?;
        let side = symbol.width();
        // Whole dots: a module that is blurred at its edges reads worse than a smaller one.
        let module = SYMBOL / (side + 2 * QUIET_ZONE);
        let border = (SYMBOL - module * side) / 2;
        let origin = (MARGIN / 2 + border, (HEIGHT - SYMBOL) / 2 + border);
        Ok(Self {
            modules: symbol.to_colors().into_iter().map(|color| color == Color::Dark).collect(),
            side,
            module,
            origin,
            lines: lay_out_lines(label),
        })
    }
}

fn lay_out_lines(label: &Label) -> Vec<Line> {
    use {FontWeight::*, RasterHeight::*};
    // A row may be older than the rules for texts. Before the lines are broken, so that what is written out has its room.
    let [vessel, imo, tag, name, code] =
        [&label.vessel, &label.imo_number, &label.tag, &label.name, &label.qr_code]
            .map(|text| printable(text, usize::MAX));
    let imo = format!("IMO {imo}");
    let (upper, lower) = split_code(&code);
    let blocks: [(&str, &[RasterHeight], FontWeight, usize); 4] = [
        (&vessel, &[Size32, Size24, Size20], Bold, 2),
        (&imo, &[Size20], Regular, 1),
        (&tag, &[Size32, Size24], Bold, 1),
        (&name, &[Size24, Size20], Regular, 3),
    ];
    let mut top = TEXT_TOP;
    let mut lines = Vec::new();
    for (text, sizes, weight, most) in blocks {
        let (size, parts) = fit_text(text, sizes, weight, most);
        for text in parts {
            lines.push(Line { text, left: TEXT_LEFT, top, size, weight });
            top += size.val();
        }
        top += GAP;
    }
    // The code stands at the foot, at the same place on every label.
    let (size, _) =
        fit_text(if upper.len() > lower.len() { upper } else { lower }, &[Size20, Size16], Regular, 1);
    for (text, top) in [(upper, TEXT_BOTTOM - 2 * size.val()), (lower, TEXT_BOTTOM - size.val())] {
        lines.push(Line { text: text.to_owned(), left: TEXT_LEFT, top, size, weight: Regular });
    }
    lines
}

/// The code over two lines, cut at a hyphen: it is read aloud and typed by people.
fn split_code(code: &str) -> (&str, &str) {
    let middle = code.len().div_ceil(2);
    let at = code.match_indices('-').map(|(at, _)| at + 1).min_by_key(|at| at.abs_diff(middle));
    code.split_at(at.unwrap_or_else(|| code.ceil_char_boundary(middle)))
}

/// The largest size in which the text stands on one line; else the smallest, over at most `most` lines.
fn fit_text(
    text: &str,
    sizes: &[RasterHeight],
    weight: FontWeight,
    most: usize,
) -> (RasterHeight, Vec<String>) {
    let room = |size| TEXT_WIDTH / get_raster_width(weight, size);
    let length = text.chars().count();
    let smallest = sizes[sizes.len() - 1];
    match sizes.iter().find(|size| length <= room(**size)) {
        Some(size) => (*size, vec![text.to_owned()]),
        None => (smallest, wrap_text(text, room(smallest), most)),
    }
}

/// Breaks between words, and inside of one that is longer than a line; what does not fit ends with two dots.
fn wrap_text(text: &str, width: usize, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split_whitespace() {
        let mut rest: Vec<char> = word.chars().collect();
        while !rest.is_empty() {
            let line = lines.last_mut().expect("there is a first line");
            let used = line.chars().count() + usize::from(!line.is_empty());
            if used + rest.len() <= width {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.extend(rest.drain(..));
            } else if line.is_empty() {
                line.extend(rest.drain(..width));
            } else {
                lines.push(String::new());
            }
        }
    }
    if lines.len() > most {
        lines.truncate(most);
        let last = lines.last_mut().expect("there is a first line");
        *last = last.chars().take(width.saturating_sub(2)).chain("..".chars()).collect();
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels::main_engine;

    #[test]
    fn the_longest_texts_stay_on_the_label() {
        let long = Label {
            qr_code: "X".repeat(64),
            vessel: "W".repeat(200),
            tag: "601.001 / 999".into(),
            name: "Emergency fire pump, second unit, bosun's store forward, port side ".repeat(3),
            ..main_engine()
        };
        let layout = Layout::of(&long).unwrap();
        for line in &layout.lines {
            let right = line.left + line.text.chars().count() * get_raster_width(line.weight, line.size);
            assert!(right <= WIDTH - MARGIN, "{line:?}");
            assert!(line.top + line.size.val() <= TEXT_BOTTOM, "{line:?}");
        }
        for pair in layout.lines.windows(2) {
            assert!(pair[0].top + pair[0].size.val() <= pair[1].top, "{pair:?}");
        }
        assert!(layout.module * DOTS_PER_MM >= 4 * DOTS_PER_MM, "half a millimetre is what phones read");
    }

    #[test]
    fn the_quiet_zone_is_white_on_all_sides() {
        let layout = Layout::of(&main_engine()).unwrap();
        let quiet = QUIET_ZONE * layout.module;
        assert!(layout.origin.0 >= quiet && layout.origin.1 >= quiet);
        let end = layout.side * layout.module + quiet;
        assert!(layout.origin.0 + end <= TEXT_LEFT && layout.origin.1 + end <= HEIGHT);
    }

    #[test]
    fn words_are_kept_whole_where_they_fit() {
        assert_eq!(wrap_text("Emergency fire pump", 10, 3), ["Emergency", "fire pump"]);
        assert_eq!(wrap_text("Hydrophore", 4, 2), ["Hydr", "op.."]);
        assert_eq!(split_code("SMS-S12Q-3W4Q-XHEY-F66E-V"), ("SMS-S12Q-3W4Q-", "XHEY-F66E-V"));
    }
}
