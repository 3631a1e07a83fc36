//! A label as SVG: sharp at any size, with text that can be searched.

use std::fmt::Write;

use domain::text::printable;
use noto_sans_mono_bitmap::{FontWeight, get_raster_width};

use super::layout::{DOTS_PER_MM, HEIGHT, Layout, WIDTH};

/// Width of a character of a monospaced font, as part of its size.
const ADVANCE: f64 = 0.6;

/// The label as an SVG document in its real size.
pub(crate) fn render_svg(layout: &Layout) -> String {
    let (width, height) = (WIDTH / DOTS_PER_MM, HEIGHT / DOTS_PER_MM);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}mm\" height=\"{height}mm\" \
         viewBox=\"0 0 {WIDTH} {HEIGHT}\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n{}</svg>\n",
        draw_svg(layout)
    )
}

/// The content of the label as SVG elements; the unit is a dot.
pub(super) fn draw_svg(layout: &Layout) -> String {
    let mut out = String::from("<path fill=\"#000\" shape-rendering=\"crispEdges\" d=\"");
    let m = layout.module;
    for (y, row) in layout.modules.chunks(layout.side).enumerate() {
        let mut x = 0;
        while x < row.len() {
            let run = row[x..].iter().take_while(|dark| **dark).count();
            if run > 0 {
                let (left, top, length) = (layout.origin.0 + x * m, layout.origin.1 + y * m, run * m);
                write!(out, "M{left} {top}h{length}v{m}h-{length}z")
                    .expect("writing to a String never fails");
            }
            x += run.max(1);
        }
    }
    out.push_str("\"/>\n");
    for line in &layout.lines {
        let size = get_raster_width(line.weight, line.size) as f64 / ADVANCE;
        // The baseline of the bitmap font lies at 78 % of the height of its box.
        let baseline = line.top as f64 + 0.78 * line.size.val() as f64;
        let bold = if line.weight == FontWeight::Bold { " font-weight=\"700\"" } else { "" };
        writeln!(
            out,
            "<text x=\"{}\" y=\"{baseline:.1}\" font-size=\"{size:.1}\"{bold} \
             font-family=\"'Noto Sans Mono','DejaVu Sans Mono',monospace\">{}</text>",
            line.left,
            escape_markup(&line.text)
        )
        .expect("writing to a String never fails");
    }
    out
}

/// Text escaped for markup, attributes included. XML has no way to write most control characters and noncharacters (XML 1.0,
/// section 2.2), so the document would not be well-formed with them; bidirectional controls would reorder the label.
pub(super) fn escape_markup(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in printable(text, usize::MAX).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels::main_engine;

    #[test]
    fn name_with_markup_is_escaped() {
        let svg = render_svg(&Layout::of(&main_engine()).unwrap());
        assert!(svg.contains("Main engine"), "{svg}");
        assert!(svg.contains("&lt;port&gt;") && svg.contains("&amp;"), "{svg}");
        assert!(!svg.contains("<port>"), "{svg}");
    }

    #[test]
    fn label_of_any_text_is_well_formed() {
        let hostile = "a\u{0}\u{1b}\u{fffe}\u{ffff}\u{202e}\u{85}\r\n]]>&#0;<!--\"'";
        let label = crate::labels::Label {
            vessel: hostile.into(),
            imo_number: hostile.into(),
            tag: hostile.into(),
            name: hostile.into(),
            qr_code: "ÅÄÖ".into(),
        };
        let svg = render_svg(&Layout::of(&label).unwrap());
        let forbidden = |c: char| c != '\n' && domain::text::is_unsafe_to_print(c);
        assert!(!svg.contains(forbidden), "{svg:?}");
        assert!(!svg.contains("<!--") && !svg.contains("&#0;"), "{svg}");
    }
}
